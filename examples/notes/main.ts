import { loadConfig, startServer } from 'guoke';
import { openNotes } from './notes.ts';
import { createAppRouter } from './router.ts';

const notes = await openNotes(process.env.NOTES_FILE ?? 'notes.db');
const server = await startServer(loadConfig(process.env), { router: createAppRouter(notes) });

process.once('SIGTERM', () => {
  void server.close().then(() => notes.close());
});
