module.exports = {
  projectName: 'guoke',
  date: '2026-1-1',
  designWidth: 750,
  sourceRoot: 'src',
  outputRoot: 'dist',
  framework: 'vue3',
  compiler: { type: 'webpack5', prebundle: { enable: false } },
  plugins: ['@tarojs/plugin-platform-weapp', '@tarojs/plugin-framework-vue3'],
  mini: {},
};
