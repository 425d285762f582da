import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from 'prom-client';
import type { PoolStats } from '../store/store.ts';
import type { CallObserver } from './call-record.ts';
import { droppedLogLines } from './log.ts';

export interface Metrics extends CallObserver {
  /** Answers a scrape: Prometheus text at /metrics. */
  fetch(request: Request): Promise<Response>;
}

interface Sources {
  /** Read at each scrape. */
  exchangesInFlight: () => number;
  pool: () => PoolStats;
}

/**
 * The metrics of one server, in a registry of its own; docs/metrics.md lists them. Labels are names of procedures and
 * reasons alone, of which there are a few dozen: nothing that a caller can choose is one.
 */
export function createMetrics({ exchangesInFlight, pool }: Sources): Metrics {
  const registry = new Registry();
  const registers = [registry];
  collectDefaultMetrics({ register: registry });

  const calls = new Counter({
    name: 'guoke_calls_total',
    help: 'Calls of procedures that have ended, by how they ended; OK is success.',
    labelNames: ['procedure', 'reason'],
    registers,
  });
  const durations = new Histogram({
    name: 'guoke_call_duration_seconds',
    help: 'How long calls of procedures took, WeChat and the database included.',
    labelNames: ['procedure'],
    buckets: [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2, 4, 8],
    registers,
  });
  const gauge = (name: string, help: string, read: () => number) =>
    new Gauge({
      name,
      help,
      registers,
      collect() {
        this.set(read());
      },
    });
  gauge('guoke_wechat_exchanges_in_flight', 'Calls to WeChat in flight.', exchangesInFlight);
  gauge('guoke_database_pool_size', 'Connections that the pool may have.', () => pool().size);
  gauge('guoke_database_pool_in_use', 'Connections that are at work.', () => pool().inUse);
  gauge('guoke_database_pool_waiting', 'Calls that wait for a connection.', () => pool().waiting);

  registry.registerMetric(
    new Counter({
      name: 'guoke_log_lines_dropped_total',
      help: 'Log lines that the standard output did not take.',
      registers: [],
      collect() {
        this.reset();
        this.inc(droppedLogLines());
      },
    }),
  );

  return {
    observe({ procedure, reason, durationMs }) {
      calls.inc({ procedure, reason });
      durations.observe({ procedure }, durationMs / 1000);
    },
    async fetch(request) {
      if (!['GET', 'HEAD'].includes(request.method) || new URL(request.url).pathname !== '/metrics') {
        return new Response('See /metrics\n', { status: 404 });
      }
      return new Response(await registry.metrics(), { headers: { 'content-type': registry.contentType } });
    },
  };
}
