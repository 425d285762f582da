import { withDeadline } from './deadline.ts';
import { type Store, StoreError } from './store.ts';
import { widths } from './widths.ts';

/** The alphabet of WeChat's openids and unionids. */
const idPattern = new RegExp(`^[A-Za-z0-9_-]{1,${widths.openId}}$`);

/** Of the deadline of one statement: 2 s become 2.6 s for all statements of one request. */
const budgetShare = 1.3;

/** Runs one call of the store. */
type Run = <T>(call: () => Promise<T>) => Promise<T>;

interface Guards {
  /** What one statement may take. With it the store is for one request, whose calls share a time budget. */
  statementTimeoutMs?: number;
}

/**
 * A store that refuses an openid or unionid outside WeChat's alphabet before a statement is made, and, for a request, calls
 * beyond its time budget. MySQL's ascii_bin takes `oabc` and `oabc ` for equal (PAD SPACE): no id with a space gets there.
 */
export function guardedStore(store: Store, { statementTimeoutMs }: Guards = {}): Store {
  const run: Run = statementTimeoutMs === undefined ? (call) => call() : createBudget(statementTimeoutMs);

  async function runFor<T>(id: string, call: () => Promise<T>): Promise<T> {
    if (!idPattern.test(id)) throw new StoreError('unexpected', 'OPENID_INVALID');
    return await run(call);
  }

  // Each method by its name, and none spread: a new method of the store does not compile before it has its guard here.
  return {
    saveLogin: (login) => runFor(login.openId, () => store.saveLogin(login)),
    findUser: (openId) => runFor(openId, () => store.findUser(openId)),
    findSession: (tokenHash) => run(() => store.findSession(tokenHash)),
    extendSession: (extension) => run(() => store.extendSession(extension)),
    deleteSession: (tokenHash) => run(() => store.deleteSession(tokenHash)),
    deleteSessionsOf: (openId, now) => runFor(openId, () => store.deleteSessionsOf(openId, now)),
    deleteExpiredSessions: (now, limit) => run(() => store.deleteExpiredSessions(now, limit)),
    countUsers: () => run(() => store.countUsers()),
    // Where a list begins need not be an openid: '' comes before all.
    listUsers: (afterOpenId, limit) => run(() => store.listUsers(afterOpenId, limit)),
    reseal: (changes) => run(() => store.reseal(changes)),
    deleteUser: (user) => runFor(user.openId, () => store.deleteUser(user)),
    updateUser: (user, changes, now) => runFor(user.openId, () => store.updateUser(user, changes, now)),
    saveSessionKey: (user, key) => runFor(user.openId, () => store.saveSessionKey(user, key)),
    listSessions: (openId, now, limit) => runFor(openId, () => store.listSessions(openId, now, limit)),
    findRecord: (openId) => runFor(openId, () => store.findRecord(openId)),
    findUsersByUnionId: (unionId) => runFor(unionId, () => store.findUsersByUnionId(unionId)),
    findUsersByPhone: (fingerprints) => run(() => store.findUsersByPhone(fingerprints)),
    findAvatar: (hash) => run(() => store.findAvatar(hash)),
    sweepAvatars: (sweep) => run(() => store.sweepAvatars(sweep)),
    findAccessToken: (appId) => run(() => store.findAccessToken(appId)),
    leaseAccessToken: (lease) => run(() => store.leaseAccessToken(lease)),
    updateAccessToken: (appId, owner, changes) => run(() => store.updateAccessToken(appId, owner, changes)),
    ping: () => run(() => store.ping()),
    // These are not statements of a request: they have deadlines of their own, or none.
    migrate: () => store.migrate(),
    verifyTables: () => store.verifyTables(),
    poolStats: () => store.poolStats(),
    close: () => store.close(),
  };
}

/** A slow database would else add up the statements of a request: a session, its extension, and then the work itself. */
function createBudget(statementTimeoutMs: number): Run {
  let waitedMs = 0;
  let waiting = 0;
  let waitingSince = 0;

  return async (call) => {
    const startedAt = performance.now();
    const work = call();
    // The calls of a batch wait side by side: that time counts once.
    if (waiting === 0) waitingSince = startedAt;
    const leftMs = statementTimeoutMs * budgetShare - waitedMs - (startedAt - waitingSince);
    waiting += 1;
    try {
      // The store's own deadline comes first, nearly always; then a second timer would only cost.
      return await (leftMs >= statementTimeoutMs ? work : withDeadline(Math.max(leftMs, 0), work));
    } finally {
      waiting -= 1;
      if (waiting === 0) waitedMs += performance.now() - waitingSince;
    }
  };
}
