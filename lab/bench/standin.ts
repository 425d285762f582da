import { createServer } from 'node:http';
import { createCodes } from '../../packages/standin/src/codes.ts';
import { jscode2session } from '../../packages/standin/src/jscode2session.ts';
import { createPeople } from '../../packages/standin/src/people.ts';
import { defaultProfile } from '../../packages/standin/src/profile.ts';
import { sealProfile } from '../../packages/standin/src/seal.ts';
import { devApp } from '../../packages/standin/src/server.ts';
import { nthUser, openIdOf } from './seed.ts';

// The stand-in's rooms on bare node:http, without faults, counts and logs: two cores are shared by everything here,
// and WeChat's own work is not what is measured. `/inputs` mints whole logins before the measured window.

const people = createPeople({ apps: [devApp] });
const codes = createCodes({ now: Date.now });
const exchange = jscode2session({ people, codes });

const server = createServer((request, response) => {
  const { pathname, searchParams: query } = new URL(request.url ?? '/', 'http://standin');
  const body = JSON.stringify(
    pathname === exchange.path ? exchange.answer({ query, body: '', contentType: '' }, { spend: true }) : mint(query),
  );
  response.writeHead(200, { 'content-type': 'text/plain', 'content-length': Buffer.byteLength(body) }).end(body);
});
server.keepAliveTimeout = 60_000;
server.listen(0, '127.0.0.1', () => {
  const address = server.address();
  const port = typeof address === 'object' && address ? address.port : 0;
  console.log(JSON.stringify({ url: `http://127.0.0.1:${port}` }));
});

/** `count` logins of the first `users` users, or of as many of them, each with a fresh code and a sealed profile. */
function mint(query: URLSearchParams): object[] {
  const [count, users] = [Number(query.get('count')), Number(query.get('users'))];
  const timestampSeconds = Math.floor(Date.now() / 1000);
  const first = Math.floor(Math.random() * users);
  const sealed = Array.from({ length: Math.min(count, users) }, (_, index) => {
    const user = nthUser(first + index, users);
    const person = { ...people.find(`user${user}`, devApp), openid: openIdOf(user) };
    const { appId, sessionKey } = person;
    return {
      person,
      data: sealProfile({ userInfo: { ...defaultProfile(person.user) }, appId, sessionKey, timestampSeconds }),
    };
  });
  return Array.from({ length: count }, (_, index) => {
    const each = sealed[index % sealed.length];
    return each ? { code: codes.mint(each.person), ...each.data } : {};
  });
}
