import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

/** The program whose declaration is wanted; beside this file, and beside the command's in the package. */
const template = fileURLToPath(new URL('../router/app-router.ts', import.meta.url));

/** The nearest directory, from this one up, that has it. */
function findUp(from: string, name: string): string {
  if (existsSync(path.join(from, name))) return from;
  const parent = path.dirname(from);
  if (parent === from) throw new Error(`There is no ${name} at or above the router's directory`);
  return findUp(parent, name);
}

/** The server's own files get a declaration too. It is not used, so a type that TypeScript cannot name there does no harm. */
const ofAnotherDeclaration = /^(?!.*\bapp-router\.ts\().*: error TS(2742|2883|4\d{3}|7056|9\d{3}): /;

/** Runs the project's own TypeScript. Throws where it finds a mistake. */
function tsc(directory: string): void {
  const typescript = path.dirname(createRequire(path.join(directory, 'x.js')).resolve('typescript/package.json'));
  const args = [path.join(typescript, 'bin/tsc'), '-p', directory];
  const { stdout } = spawnSync(process.execPath, args, { encoding: 'utf8' });
  const mistakes = stdout.split('\n').filter((line) => line.includes('error TS') && !ofAnotherDeclaration.test(line));
  if (mistakes.length > 0) throw new Error(`TypeScript finds mistakes in the router:\n${mistakes.join('\n')}`);
}

/**
 * The declaration of the `AppRouter` that the file `router` exports, of `Reason` and of `Retry`: types that import nothing,
 * neither the server nor tRPC. Throws where TypeScript finds a mistake, or a type that has no form of its own, such as a class.
 */
export function emitRouter(router: string): string {
  const file = path.resolve(router);
  const home = findUp(path.dirname(file), 'node_modules/@trpc/server');
  // In there tRPC is found, and nothing that watches or lints the project sees it.
  const directory = mkdtempSync(path.join(home, 'node_modules/.guoke-router-'));
  try {
    const source = path.relative(directory, file).replaceAll('\\', '/');
    const program = readFileSync(template, 'utf8').replace(/(?<=ServerRouter } from )'.*'/, () =>
      JSON.stringify(source),
    );
    const compilerOptions = {
      allowImportingTsExtensions: true,
      composite: false,
      incremental: false,
      noEmit: false,
      declaration: true,
      declarationMap: false,
      emitDeclarationOnly: true,
      noErrorTruncation: true,
      noUnusedLocals: false,
      noUnusedParameters: false,
      skipLibCheck: true,
      outDir: 'out',
      rootDir: path.parse(directory).root,
    };
    const config = path.join(findUp(path.dirname(file), 'tsconfig.json'), 'tsconfig.json');
    const project = { extends: config, compilerOptions, files: ['app-router.ts'], include: [], references: [] };
    writeFileSync(path.join(directory, 'tsconfig.json'), JSON.stringify(project));
    writeFileSync(path.join(directory, 'package.json'), '{ "type": "module" }');
    writeFileSync(path.join(directory, 'app-router.ts'), program);
    tsc(directory);
    const fromRoot = path.relative(compilerOptions.rootDir, directory);
    return withoutImports(readFileSync(path.join(directory, 'out', fromRoot, 'app-router.d.ts'), 'utf8'));
  } finally {
    rmSync(directory, { recursive: true });
  }
}

function withoutImports(emitted: string): string {
  const text = emitted.replace(/^import type .*\n/gm, '');
  const [left] = /\bimport\("[^"]*"\)[\w.]*/.exec(text) ?? [];
  if (left !== undefined) throw new Error(`A procedure takes or gives ${left}, which cannot be written out`);
  return text;
}
