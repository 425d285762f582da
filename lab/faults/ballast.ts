import { setTimeout as sleep } from 'node:timers/promises';
import { createConnection } from 'mysql2/promise';
import { createDatabase } from '../../test/support/mariadb.ts';

/**
 * Writes to one node what the others take long to apply: a login that is committed behind it is not yet on them when its token
 * is. Without it the nodes of an idle cluster on one machine are never far enough apart to tell.
 */
export async function startBallast(serverUrl: string) {
  const connection = await createConnection(await createDatabase(serverUrl));
  await connection.query('create table ballast (id int primary key, value int not null) engine = InnoDB');
  await connection.query('insert into ballast select seq, 0 from seq_1_to_8000');
  let over = false;
  const writing = (async () => {
    while (!over) {
      await connection.query('update ballast set value = value + 1');
      await sleep(5);
    }
  })();
  return {
    async stop(): Promise<void> {
      over = true;
      await writing;
      await connection.end();
    },
  };
}
