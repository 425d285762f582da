import { setFlagsFromString } from 'node:v8';
import closeWithGrace from 'close-with-grace';
import { loadConfig } from './config.ts';
import { createLog, describeError } from './operations/log.ts';
import { type Server, startServer } from './server.ts';
import { explainStartFailure } from './operations/start-failure.ts';

const drainMs = 1000;
/** Calls in flight end well before this: their own deadlines are shorter. */
const maxCloseMs = 14_000;

// V8 by itself collects when the heap has grown to some four times of what is alive. See docs/decisions/033.
setFlagsFromString('--heap-growing-percent=50');

try {
  const config = loadConfig(process.env);
  const log = createLog(config.settings.logLevel);
  let server: Server | undefined;
  // Before the start, which may wait for the database: a signal during that wait stops the process too.
  const grace = closeWithGrace({ delay: maxCloseMs, logger: false }, async ({ err, signal }) => {
    if (err) log.error(describeError(err), 'stopping after an error');
    else log.info({}, `stopping on ${signal}`);
    await server?.close();
  });
  await startServer(config, { log, drainMs, onListening: (listening) => (server = listening) }).catch(
    (error: unknown) => {
      grace.uninstall();
      throw error;
    },
  );
} catch (error) {
  console.error(explainStartFailure(error));
  process.exitCode = 1;
}
