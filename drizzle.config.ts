import { defineConfig } from 'drizzle-kit';

const url = process.env.DATABASE_URL || 'file:.data/guoke.db';
const dialect = url.startsWith('mysql:') ? 'mysql' : 'sqlite';

export default defineConfig({
  dialect,
  schema: `./src/store/${dialect}/schema.ts`,
  out: `./drizzle/${dialect}`,
  dbCredentials: { url },
  // As in src/store/migrations.ts.
  migrations: { table: '__guoke_migrations' },
});
