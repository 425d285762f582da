const { ProvidePlugin } = require('webpack');

module.exports = {
  projectName: 'guoke',
  date: '2026-1-1',
  designWidth: 750,
  sourceRoot: 'src',
  outputRoot: 'dist',
  framework: 'react',
  compiler: { type: 'webpack5', prebundle: { enable: false } },
  plugins: ['@tarojs/plugin-platform-weapp', '@tarojs/plugin-framework-react'],
  // For TanStack Query alone: older base libraries know neither name.
  defineConstants: { globalThis: 'global' },
  mini: {
    webpackChain(chain) {
      chain.plugin('abort-controller').use(ProvidePlugin, [{ AbortController: ['@guoke/client', 'AbortController'] }]);
    },
  },
};
