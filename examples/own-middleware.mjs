import { loadConfig, startServer } from 'guoke';
import { Hono } from 'hono';
import { cors } from 'hono/cors';
import { logger } from 'hono/logger';

const shop = new Hono().get('/hours', (c) => c.json({ opens: '09:00' }));

const server = await startServer(loadConfig(process.env), {
  app(app) {
    app.use(logger()); // a line for each request, calls included
    app.use(cors({ origin: 'https://shop.example.com' }));
    app.route('/shop', shop); // GET /shop/hours
  },
});
console.log(server.url);
process.once('SIGTERM', () => void server.close());
