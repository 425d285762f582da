import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { createConnection } from 'mysql2/promise';
import { freePort } from '../../test/support/database-server.ts';
import { findMariaDb } from '../../test/support/mariadb.ts';

/** A node of a cluster. */
export interface Node {
  /** Without a database. */
  url: string;
  port: number;
  /** As a crash would. */
  kill(): Promise<void>;
  /** Starts it, and resolves when it has all that the cluster has. */
  join(): Promise<void>;
}

const provider = ['/usr/lib/galera/libgalera_smm.so', '/usr/lib64/galera-4/libgalera_smm.so'].find(existsSync);
const isRoot = process.getuid?.() === 0;
/** The state transfer reads the server's files as the server's user, so that root will not do. */
const asUser = isRoot ? ['--user=mysql'] : [];

/** What is missing here for a cluster, with what to install; null when nothing is. */
export function lacksForGalera(): string | null {
  const debian = '(Debian: apt install mariadb-server galera-4 rsync)';
  if (!findMariaDb()) return `There is no mariadbd here ${debian}.`;
  if (!provider) return `There is no Galera library here ${debian}.`;
  for (const check of ['command -v rsync', 'command -v mariadb-install-db', ...(isRoot ? ['id mysql'] : [])]) {
    try {
      execFileSync('sh', ['-c', check], { stdio: 'ignore' });
    } catch {
      return `"${check}" finds nothing here ${debian}.`;
    }
  }
  return null;
}

/** Three MariaDB nodes of a Galera cluster on loopback, each with ports and an empty directory of its own. */
export async function startGalera(size = 3) {
  const directory = await mkdtemp(path.join(tmpdir(), 'guoke-galera-'));
  if (isRoot) execFileSync('chown', ['mysql', directory]);
  const groupPorts = await Promise.all(Array.from({ length: size }, freePort));
  const nodes: Node[] = [];
  const keepers = new Set<ReturnType<typeof spawn>>();
  for (const [index, groupPort] of groupPorts.entries()) nodes.push(await createNode(index, groupPort));
  for (const node of nodes) await node.join();

  async function createNode(index: number, groupPort: number): Promise<Node> {
    const home = path.join(directory, `node${index}`);
    const [port, statePort, incrementPort] = await Promise.all([freePort(), freePort(), freePort()]);
    await mkdir(home);
    if (isRoot) execFileSync('chown', ['mysql', home]);
    const own = ['--no-defaults', `--datadir=${home}`, ...asUser];
    execFileSync('mariadb-install-db', [...own, '--auth-root-authentication-method=normal', '--skip-test-db'], {
      stdio: 'pipe',
      env: { ...process.env, TMPDIR: home },
    });
    const others = groupPorts.filter((other) => other !== groupPort).map((other) => `127.0.0.1:${other}`);
    const flags = [
      ...own,
      `--socket=${home}/socket`,
      // A server that starts removes what others have in a directory that they share.
      `--tmpdir=${home}`,
      '--bind-address=127.0.0.1',
      `--port=${port}`,
      '--max-connections=300',
      '--innodb-buffer-pool-size=64M',
      '--innodb-log-file-size=16M',
      '--binlog-format=ROW',
      '--innodb-autoinc-lock-mode=2',
      '--wsrep-on=ON',
      `--wsrep-provider=${provider}`,
      '--wsrep-cluster-name=guoke',
      `--wsrep-node-name=node${index}`,
      `--wsrep-node-address=127.0.0.1:${groupPort}`,
      '--wsrep-sst-method=rsync',
      `--wsrep-sst-receive-address=127.0.0.1:${statePort}`,
      `--wsrep-provider-options=gmcast.listen_addr=tcp://127.0.0.1:${groupPort};ist.recv_addr=127.0.0.1:${incrementPort};gcache.size=32M`,
    ];
    const url = `mysql://root@127.0.0.1:${port}`;
    let isFirst = index === 0;
    let running: Awaited<ReturnType<typeof keep>> | undefined;
    return {
      url,
      port,
      async kill() {
        await running?.end();
        running = undefined;
      },
      async join() {
        const address = isFirst
          ? ['--wsrep-cluster-address=gcomm://', '--wsrep-new-cluster']
          : [`--wsrep-cluster-address=gcomm://${others.join()}`];
        isFirst = false;
        running = await keep([...flags, ...address], `${home}.log`);
        await untilReady(url, running.hasEnded, `${home}.log`);
      },
    };
  }

  /** A server that ends with us, however we end: its keeper kills it when the keeper's input ends. */
  async function keep(flags: readonly string[], log: string) {
    // A shell gives what it runs behind itself no input: the keeper's own goes by another number.
    const script = `exec 3<&0; log=$1; shift; "$@" >>"$log" 2>&1 </dev/null 3<&- & pid=$!
      (cat <&3 >/dev/null; kill -9 $pid) & wait $pid`;
    const child = spawn('sh', ['-c', script, 'sh', log, findMariaDb() ?? '', ...flags], {
      detached: true,
      stdio: ['pipe', 'ignore', 'ignore'],
    });
    keepers.add(child);
    const closed = once(child, 'exit').then(() => keepers.delete(child));
    return {
      hasEnded: () => !keepers.has(child),
      async end() {
        child.stdin.end();
        await closed;
      },
    };
  }

  return {
    nodes,
    async remove(): Promise<void> {
      for (const node of nodes) await node.kill();
      await rm(directory, { recursive: true, force: true });
    },
  };
}

async function untilReady(url: string, hasEnded: () => boolean, log: string): Promise<void> {
  const deadline = performance.now() + 120_000;
  while (!(await isReady(url))) {
    if (hasEnded() || performance.now() > deadline) {
      const lines = (await readFile(log, 'utf8')).split('\n').slice(-15);
      throw new Error(`a node did not join its cluster:\n${lines.join('\n')}`);
    }
    await sleep(100);
  }
}

async function isReady(url: string): Promise<boolean> {
  try {
    const connection = await createConnection({ uri: url, connectTimeout: 1000 });
    const [rows] = (await connection.query(`show status like 'wsrep_ready'`)) as unknown as [{ Value: string }[]];
    await connection.end();
    return rows[0]?.Value === 'ON';
  } catch {
    return false;
  }
}
