import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { type SQL, sql } from 'drizzle-orm';
import { StoreError } from '../store.ts';
import { serverErrno } from './errors.ts';
import { changeRaw, selectRaw } from './raw.ts';
import type { Db } from './session.ts';

/** A lock that its holder loses when it no longer renews it. It is a row, so every node of a cluster sees it. */
export interface Lease {
  /** Waits for it at most so long; rejects as unavailable, MIGRATION_LOCKED. */
  take(waitMs: number): Promise<void>;
  /** Whether it is still held. Also on another connection, while this one is busy. */
  renew(db: Db): Promise<boolean>;
  /** The rest of an `insert … select`, which inserts nothing once the lease is lost. */
  fence: SQL;
  release(): Promise<void>;
}

interface LeaseOptions {
  db: Db;
  /** Runs one statement of the lease's: with a deadline, and again after a conflict. */
  within: <T>(work: () => Promise<T>) => Promise<T>;
  owner?: string;
}

/** A holder that dies keeps the others waiting for so long; one that lives renews it several times within. */
export const leaseMs = 10_000;

/** ER_NO_SUCH_TABLE */
const noSuchTable = 1146;
const maxRefusals = 10;

const table = sql.identifier('__guoke_lease');
const name = 'migrations';

/** The times are the database's. Every step is one statement, so that of several nodes one commits it and the others see that. */
export function createLease({ db, within, owner = randomUUID() }: LeaseOptions): Lease {
  const expiry = sql`utc_timestamp(3) + interval ${sql.raw(String(leaseMs / 1000))} second`;
  const fence = sql`from ${table} where name = ${name} and owner = ${owner}`;

  async function tryToTake(): Promise<boolean> {
    // True for both assignments or for none, whether the server evaluates the second one on the old owner or the new.
    const isFree = sql`expires_at < utc_timestamp(3) or owner = values(owner)`;
    await changeRaw(
      db,
      sql`insert into ${table} (name, owner, expires_at) values (${name}, ${owner}, ${expiry}) on duplicate key update
        owner = if(${isFree}, values(owner), owner), expires_at = if(${isFree}, values(expires_at), expires_at)`,
    );
    return (await selectRaw(db, sql`select 1 ${fence}`)).length > 0;
  }

  return {
    fence,
    async take(waitMs) {
      const deadline = performance.now() + waitMs;
      for (let refusals = 0; ;) {
        try {
          if (await within(tryToTake)) return;
          if (performance.now() > deadline) throw lockedError();
        } catch (error) {
          if (serverErrno(error) !== noSuchTable) throw error;
          // Nothing keeps several nodes from making this table at once: what one refuses is tried again, and then it is there.
          const refusal: unknown = await within(() => changeRaw(db, createTable)).then(
            () => null,
            (reason: unknown) => reason,
          );
          if (refusal === null) continue;
          if (serverErrno(refusal) === undefined || ++refusals === maxRefusals) throw refusal;
        }
        await sleep(100 + Math.random() * 200);
      }
    },
    async renew(connection) {
      const renewal = sql`update ${table} set expires_at = ${expiry} where name = ${name} and owner = ${owner}`;
      return (await changeRaw(connection, renewal)) > 0;
    },
    async release() {
      await within(() => changeRaw(db, sql`delete ${fence}`));
    },
  };
}

const createTable = sql`create table if not exists ${table}
  (name varchar(64) character set ascii collate ascii_bin primary key,
  owner varchar(64) character set ascii collate ascii_bin not null, expires_at datetime(3) not null)`;

export function lockedError(): StoreError {
  return new StoreError('unavailable', 'MIGRATION_LOCKED', undefined, 'another instance holds the migration lock');
}
