import { loadConfig, type ServerOptions, startServer } from 'guoke';
import { openNotes } from './notes.ts';
import { createAppRouter } from './router.ts';

/** The server with the notes beside it: `url` is where it listens, `close` answers what is in flight first. */
export async function start(env: NodeJS.ProcessEnv, options: ServerOptions = {}) {
  const notes = await openNotes(env.NOTES_FILE ?? 'notes.db');
  const server = await startServer(loadConfig(env), { ...options, router: createAppRouter(notes) });
  return { url: server.url, close: () => server.close().then(() => notes.close()) };
}
