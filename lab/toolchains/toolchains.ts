/** A toolchain, the small app in apps/ that it builds, and how. */
export interface Toolchain {
  name: string;
  /** The app's directory in apps/. */
  app: string;
  /** Whose packages it uses: toolchains may share an installation. */
  installation: keyof typeof installations;
  /** Commands of the installation's node_modules/.bin, or Node's with a file of the app's. */
  commands: readonly (readonly [command: string, ...args: string[]])[];
  /** Where the mini program is then; none where the commands themselves log in. */
  output?: string;
  /** Each page is opened as the first of a launch of its own. */
  pages?: readonly string[];
}

const taro = '4.2.0';
const uniApp = '3.0.0-alpha-5020620260914001';
const trpc = '11.22.1';

/** Exact versions: what docs/client.md says was tried. */
export const installations = {
  jest: ['jest@29.7.0'],
  wechat: ['miniprogram-ci@2.1.42'],
  uni: [
    ...['uni-app', 'uni-mp-weixin', 'vite-plugin-uni', 'uni-components', 'uni-cli-shared'].map(
      (name) => `@dcloudio/${name}@${uniApp}`,
    ),
    'vue@3.4.21',
    'vite@5.2.8',
  ],
  taro: [
    ...['cli', 'taro', 'components', 'helper', 'runtime', 'shared', 'react', 'webpack5-runner'].map(
      (name) => `@tarojs/${name}@${taro}`,
    ),
    ...['platform-weapp', 'framework-react', 'framework-vue3'].map((name) => `@tarojs/plugin-${name}@${taro}`),
    `babel-preset-taro@${taro}`,
    'react@18.3.1',
    'react-dom@18.3.1',
    '@types/react@18.3.18',
    'vue@3.5.13',
    '@vue/compiler-sfc@3.5.13',
    '@vue/babel-plugin-jsx@1.2.5',
    'vue-loader@17.4.2',
    'css-loader@7.1.2',
    'style-loader@4.0.0',
    'postcss@8.5.33',
    'webpack@5.91.0',
    '@babel/core@7.26.0',
    '@babel/runtime@7.26.0',
    'typescript@5.9.3',
    '@babel/preset-react@7.26.3',
    '@babel/preset-typescript@7.26.0',
    '@tanstack/react-query@5.108.4',
    ...['tanstack-react-query', 'client', 'server'].map((name) => `@trpc/${name}@${trpc}`),
  ],
} as const;

const page = 'pages/index/index';
const taroBuild = ['taro', 'build', '--type', 'weapp'] as const;

export const toolchains: readonly Toolchain[] = [
  { name: 'Jest 29, by require', app: 'jest', installation: 'jest', commands: [['jest']] },
  {
    name: 'WeChat’s compiler and npm packer',
    app: 'wechat',
    installation: 'wechat',
    commands: [['node', 'build.cjs']],
    output: 'out',
    pages: [page],
  },
  {
    name: 'uni-app, Vite',
    app: 'uni-app',
    installation: 'uni',
    commands: [['uni', 'build', '-p', 'mp-weixin']],
    output: 'dist/build/mp-weixin',
    pages: [page],
  },
  {
    name: 'Taro, React, webpack; with TanStack Query',
    app: 'taro-react',
    installation: 'taro',
    commands: [['tsc', '-p', '.'], taroBuild],
    output: 'dist',
    pages: [page, 'pages/query/query'],
  },
  {
    name: 'Taro, Vue 3, webpack',
    app: 'taro-vue3',
    installation: 'taro',
    commands: [taroBuild],
    output: 'dist',
    pages: [page],
  },
];
