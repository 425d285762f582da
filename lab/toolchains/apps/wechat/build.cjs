// WeChat's own npm packer and compiler, as DevTools run them, without DevTools and without an account.
const { mkdirSync, writeFileSync } = require('node:fs');
const path = require('node:path');
const ci = require('miniprogram-ci');

async function build() {
  const project = new ci.Project({
    appid: 'wx0123456789abcdef',
    type: 'miniProgram',
    projectPath: __dirname,
    privateKey: 'none is needed to compile',
    ignores: ['node_modules/**/*'],
  });
  // They ask WeChat's server what the mini program may do; this one is nobody's.
  const attr = {
    platform: true,
    gameApp: false,
    setting: {
      MaxCodeSize: 2,
      MaxSubpackageSubCodeSize: 2,
      MaxSubpackageFullCodeSize: 20,
      NavigateMiniprogramLimit: 10,
    },
  };
  project.attr = async () => attr;
  Object.defineProperty(project, '_miniappAttr', { value: attr, writable: true });
  await ci.packNpmManually({
    packageJsonPath: path.join(__dirname, 'package.json'),
    miniprogramNpmDistDir: path.join(__dirname, 'src'),
  });
  project.updateFileAndDirs();
  const es5 = process.argv[2] !== 'es6';
  const files = await ci.getCompiledResult({
    project,
    version: '1.0.0',
    desc: '',
    setting: { es6: true, es7: es5, minify: false },
  });
  for (const [name, content] of Object.entries(files)) {
    const file = path.join(__dirname, 'out', name);
    mkdirSync(path.dirname(file), { recursive: true });
    writeFileSync(file, content);
  }
}

build().then(
  () => process.exit(0),
  (error) => {
    console.error(error);
    process.exit(1);
  },
);
