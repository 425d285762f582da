import type { Experiment } from '../experiment.ts';
import { awayAtStart } from './away-at-start.ts';
import { blackHole } from './black-hole.ts';
import { busyLister, busyWriter } from './busy-token.ts';
import { cluster } from './cluster.ts';
import { databaseFaults } from './database-faults.ts';
import { databaseKilled } from './database-killed.ts';
import { deletionKilled } from './deletion-killed.ts';
import { addressFlood, batches, stalledFlood } from './floods.ts';
import { halfHanging } from './half-hanging.ts';
import { loginCost } from './login-cost.ts';
import { migrateInterrupted, migrateTogether } from './migrations.ts';
import { quota } from './quota.ts';
import { serverKilled } from './server-killed.ts';
import { shutdown } from './shutdown.ts';
import { wechatFaults } from './wechat-faults.ts';

/** In order: deadlines, the database away, shutdown, start, floods. */
export const experiments: readonly Experiment[] = [
  wechatFaults,
  databaseFaults,
  blackHole,
  halfHanging,
  awayAtStart,
  databaseKilled,
  serverKilled,
  deletionKilled,
  shutdown,
  migrateTogether,
  migrateInterrupted,
  cluster,
  stalledFlood,
  batches,
  addressFlood,
  busyWriter,
  busyLister,
  quota,
  loginCost,
];
