import { start } from './start.ts';

const server = await start(process.env);

process.once('SIGTERM', () => void server.close());
