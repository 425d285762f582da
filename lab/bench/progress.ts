/** A bar on the terminal; without a terminal, a line now and then. */
export function createProgress(total: number, output: NodeJS.WriteStream = process.stderr) {
  const startedAt = performance.now();
  let done = 0;
  let lastLine = 0;
  return {
    step(what: string): void {
      done += 1;
      const seconds = (performance.now() - startedAt) / 1000;
      const leftSeconds = Math.round((seconds / done) * (total - done));
      const filled = Math.round((24 * done) / total);
      const text = `${'█'.repeat(filled)}${'░'.repeat(24 - filled)} ${done}/${total}  ${leftSeconds} s left  ${what}`;
      if (output.isTTY) output.write(`\r\u001b[2K${text}${done === total ? '\n' : ''}`);
      else if (seconds - lastLine > 20 || done === total) {
        lastLine = seconds;
        output.write(`${text}\n`);
      }
    },
  };
}
