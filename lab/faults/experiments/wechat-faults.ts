import { openStage, timeUntil, type Stage } from '../stage.ts';
import type { Experiment } from '../experiment.ts';
import { startTcpProxy, type Network } from '../tcp-proxy.ts';

type Fault = Parameters<Stage['standin']['phone']['fault']>[0]['fault'];

/** Everything that WeChat may do instead of an answer, and the contract's word for it. */
const faults: readonly [string, Fault][] = [
  ['WECHAT_TIMEOUT', { kind: 'hang' }],
  ['WECHAT_TIMEOUT', { kind: 'hang', after: 'headers' }],
  ['WECHAT_TIMEOUT', { kind: 'hang', after: 'half' }],
  ['WECHAT_TIMEOUT', { kind: 'trickle' }],
  ['WECHAT_TIMEOUT', { kind: 'trickle', head: true }],
  ['WECHAT_TIMEOUT', { kind: 'delay', ms: 20_000 }],
  ['WECHAT_TIMEOUT', { kind: 'reset' }],
  ['WECHAT_TIMEOUT', { kind: 'reset', how: 'close' }],
  ['WECHAT_BAD_RESPONSE', { kind: 'reset', after: 'half' }],
  ['WECHAT_BAD_RESPONSE', { kind: 'reset', after: 'half', how: 'close' }],
  ['WECHAT_BAD_RESPONSE', { kind: 'html' }],
  ['WECHAT_BAD_RESPONSE', { kind: 'redirect', location: 'http://127.0.0.1:1/' }],
  ['WECHAT_BAD_RESPONSE', { kind: 'empty' }],
  ['WECHAT_BAD_RESPONSE', { kind: 'status', status: 500 }],
  ['WECHAT_BUSY', { kind: 'errcode', errcode: -1 }],
];
/** 32 and 64 MB. */
const floods: readonly [string, Fault][] = [
  ['WECHAT_BAD_RESPONSE', { kind: 'huge' }],
  ['WECHAT_BAD_RESPONSE', { kind: 'gzipBomb' }],
];
const networks: readonly Network[] = [{ kind: 'blackHole' }, { kind: 'refuse' }, { kind: 'reset' }];

/** No call waits longer than 3.5 s for WeChat, each fails with its own word, and all is well as soon as WeChat is. */
export const wechatFaults: Experiment = {
  name: 'wechat-faults',
  on: ['SQLite', 'MariaDB'],
  async run({ createUrl, quick, progress }) {
    const stage = await openStage(await createUrl());
    const proxy = await startTcpProxy(Number(new URL(stage.standin.url).port));
    try {
      const { caller } = await stage.start({ WX_API_BASE_URL: `http://127.0.0.1:${proxy.port}` });
      const each = quick ? 2 : 20;
      const waits: number[] = [];
      const wrong: string[] = [];

      const suffer = async ([reason, fault]: readonly [string, Fault]) => {
        const code = stage.code();
        stage.standin.phone.fault({ code, times: 3, fault });
        const outcome = await caller.checkUser(code);
        waits.push(outcome.afterMs);
        // On a busy machine an answer may come after the deadline; and a reset throws away what was not read before it,
        // so that the half of an answer never arrives.
        const isLate = outcome.reason === 'WECHAT_TIMEOUT' && outcome.afterMs >= 2900;
        const isCut = outcome.reason === 'WECHAT_TIMEOUT' && fault.kind === 'reset' && fault.how !== 'close';
        if (outcome.reason !== reason && !isLate && !isCut) wrong.push(`${JSON.stringify(fault)}: ${outcome.reason}`);
      };
      progress(`${faults.length} faults of WeChat's, ${each} calls each`);
      await Promise.all(faults.flatMap((fault) => Array.from({ length: each }, () => suffer(fault))));
      for (const fault of floods) {
        // One after the other: twenty at once are too much for the stand-in.
        for (let call = 0; call < each; call++) await suffer(fault);
      }

      const recoveries: number[] = [];
      for (const network of networks) {
        progress(`the network to WeChat: ${network.kind}`);
        await proxy.turn(network);
        const outcomes = await Promise.all(Array.from({ length: each }, () => caller.checkUser(stage.code())));
        for (const { reason, afterMs } of outcomes) {
          waits.push(afterMs);
          if (reason !== 'WECHAT_TIMEOUT') wrong.push(`${network.kind}: ${reason}`);
        }
        await proxy.turn({ kind: 'pass' });
        const whole = async () => {
          const after = await Promise.all(Array.from({ length: each }, () => caller.checkUser(stage.code())));
          return after.every(({ reason }) => reason === 'OK');
        };
        recoveries.push(await timeUntil(whole, 15_000));
      }
      return [
        {
          what: `${waits.length} calls, the longest wait`,
          value: Math.max(...waits),
          unit: 'ms',
          atMost: 3500,
          noisy: true,
        },
        {
          what: ['with another reason than the contract names', ...wrong.slice(0, 5)].join('; '),
          value: wrong.length,
          atMost: 0,
        },
        { what: 'well again after', value: Math.max(...recoveries), unit: 'ms', atMost: 5000, noisy: true },
      ];
    } finally {
      await stage.close();
      await proxy.close();
    }
  },
};
