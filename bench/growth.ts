import type { MariaDb } from '../test/support/mariadb.ts';
import type { Load } from './processes.ts';

export async function growth(_: { load: Load; standinUrl: string; mariadb: MariaDb; quick: boolean }): Promise<void> {
  await Promise.resolve();
}
