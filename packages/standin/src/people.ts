import { createHash, randomBytes } from 'node:crypto';
import { createBoundedMap } from './bounded.ts';

/** A mini program as WeChat knows it. */
export interface App {
  appId: string;
  secret: string;
  /** Bound to an open-platform account: exchanges and `getUserInfo` then carry a unionid. */
  union?: boolean;
}

/** One user of one app. */
export interface Person {
  readonly appId: string;
  readonly user: string;
  readonly openid: string;
  readonly unionid: string | undefined;
  /** Who the user is to the app's plugin. */
  readonly openpid: string;
  /** The one valid key, base64 of 16 bytes. */
  sessionKey: string;
  /** The key at the last `wx.login`; undefined before the first. */
  keyAtLogin: string | undefined;
  blocked: boolean;
  /** Without the country's code. */
  phoneNumber: string;
  countryCode: string;
}

/** The people with a phone, by app and name. */
export interface People {
  /** Makes the person on first use. The app must be one that `app` knows. */
  find(user: string, app: App): Person;
  /** Someone made before. */
  byOpenid(openid: string, appId: string): Person | undefined;
  app(appId: string): App | undefined;
  rotate(person: Person): void;
  reset(): void;
}

/** Everyone with a phone. Over `max` of them the one made first is forgotten. */
export function createPeople({ apps, max = 500_000 }: { apps: readonly App[]; max?: number }): People {
  const appsById = new Map(apps.map((app) => [app.appId, app]));
  const people = createBoundedMap<Person>(max);
  const byOpenid = createBoundedMap<Person>(max);

  function find(user: string, app: App): Person {
    const id = `${app.appId}\n${user}`;
    const known = people.get(id);
    if (known) return known;
    const person: Person = {
      appId: app.appId,
      user,
      openid: `o${digest(`openid\n${id}`)}`,
      // One person has one unionid in all apps, so the app takes no part in it.
      unionid: app.union ? `u${digest(`unionid\n${user}`)}` : undefined,
      openpid: `p${digest(`openpid\n${id}`)}`,
      sessionKey: newKey(),
      keyAtLogin: undefined,
      blocked: false,
      ...phoneOf(user),
    };
    people.set(id, person);
    byOpenid.set(person.openid, person);
    return person;
  }

  return {
    find,
    byOpenid: (openid, appId) => {
      const person = byOpenid.get(openid);
      return person?.appId === appId ? person : undefined;
    },
    app: (appId) => appsById.get(appId),
    rotate: (person) => {
      person.sessionKey = newKey();
    },
    reset: () => [people, byOpenid].forEach((map) => map.clear()),
  };
}

/** A number of mainland China, always the same for the same name. */
function phoneOf(user: string): { phoneNumber: string; countryCode: string } {
  const number = createHash('sha256').update(`phone\n${user}`).digest().readUIntBE(0, 6) % 10 ** 8;
  return { phoneNumber: `135${String(number).padStart(8, '0')}`, countryCode: '86' };
}

function newKey(): string {
  return randomBytes(16).toString('base64');
}

function digest(text: string): string {
  return createHash('sha256').update(text).digest('base64url').slice(0, 27);
}
