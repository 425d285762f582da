import closeWithGrace from 'close-with-grace';
import { loadConfig } from './config.ts';
import { createLog, describeError } from './operations/log.ts';
import { startServer } from './server.ts';
import { explainStartFailure } from './operations/start-failure.ts';

const drainMs = 1000;
/** All that is in flight is answered well before: its own deadlines are shorter. */
const maxCloseMs = 14_000;

try {
  const config = loadConfig(process.env);
  const log = createLog(config.settings.logLevel);
  const server = await startServer(config, { log, drainMs });
  closeWithGrace({ delay: maxCloseMs, logger: false }, async ({ err, signal }) => {
    if (err) log.error(describeError(err), 'stopping after an error');
    else log.info({}, `stopping on ${signal}`);
    await server.close();
  });
} catch (error) {
  console.error(explainStartFailure(error));
  process.exitCode = 1;
}
