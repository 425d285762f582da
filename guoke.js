#!/usr/bin/env node
// The command `guoke`. Old versions of Node can read this file, so they end with a sentence and not with a SyntaxError.
import { existsSync } from 'node:fs';

const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
const program = new URL('dist/bin/guoke.js', import.meta.url);

if (major < 20 || (major === 20 && minor < 19)) {
  console.error(`guoke needs Node 20.19 or newer; this is ${process.versions.node}.`);
  process.exitCode = 1;
} else if (!existsSync(program)) {
  console.error('Nothing is built here yet: run npm run build first.');
  process.exitCode = 1;
} else {
  await import(program.href);
}
