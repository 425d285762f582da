import { runCommand, UsageError } from './command.ts';
import { commands, helpOf, overview } from './commands.ts';

// `guoke <command>`: the file guoke.js at the root runs this.

const [name = '', ...args] = process.argv.slice(2);
const isHelp = (arg: string) => arg === '--help' || arg === '-h';

await runCommand(async () => {
  if (isHelp(name)) {
    process.stdout.write(overview());
    return;
  }
  const command = commands.get(name);
  // The name is not repeated: it may be a URL with a password.
  if (!command)
    throw new UsageError(`${name === '' ? 'Say which command.' : 'There is no such command.'}\n\n${overview()}`);
  if (args.some(isHelp)) {
    process.stdout.write(helpOf(name, command));
    return;
  }
  const { run } = await command.load();
  await run(args);
});
