import { createApp, createParts, loadConfig } from 'guoke';

const parts = await createParts(loadConfig(process.env));
await parts.store.migrate();
const app = createApp(parts); // `app.fetch`, to be mounted wherever Hono runs
console.log((await app.request('/readyz')).status); // 200
await parts.close();
