import { createConnection } from 'mysql2/promise';

/** Holds the lease under which instances migrate this MySQL database, as one that renews it does, until it is called. */
export async function holdMigrationLease(databaseUrl: string): Promise<() => Promise<void>> {
  const holder = await createConnection(databaseUrl);
  await holder.query(`create table if not exists __guoke_lease (name varchar(64) character set ascii collate ascii_bin primary key,
    owner varchar(64) character set ascii collate ascii_bin not null, expires_at datetime(3) not null)`);
  await holder.query(`replace into __guoke_lease values ('migrations', 'a test', utc_timestamp(3) + interval 1 hour)`);
  return async () => {
    await holder.query('delete from __guoke_lease');
    await holder.end();
  };
}
