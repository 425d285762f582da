import { openStore } from '../../src/store/open.ts';
import { loginWrite } from './login-write.ts';

/** A process that saves logins, some at once, and says how many were acknowledged: `save-logins.ts <url> <count>`. */
const [, , databaseUrl = '', count = '0'] = process.argv;
const store = await openStore({ databaseUrl, timeoutMs: 10_000, poolSize: 4 });
await store.migrate();
const logins = Array.from({ length: Number(count) }, (_, i) =>
  loginWrite({ openId: `oSHARED${i % 20}`, key: `${i}`, at: i }),
);
const saved = await Promise.allSettled(logins.map((login) => store.saveLogin(login)));
await store.close();
process.stdout.write(String(saved.filter(({ status }) => status === 'fulfilled').length));
