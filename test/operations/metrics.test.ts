import { readFile } from 'node:fs/promises';
import { describe, expect, test } from 'vitest';
import { databases } from '../support/databases.ts';
import { failureOf, loginInputOf, startBackend } from '../support/backend.ts';

describe.each(databases)('metrics on $name', ({ createUrl }) => {
  test('metrics count calls by reason and time them on a port of their own, with labels that no caller can choose', async () => {
    const backend = await startBackend({ databaseUrl: await createUrl(), env: { METRICS_PORT: '0' } });
    const { metricsUrl } = backend;
    if (!metricsUrl) throw new Error('metrics are off');
    const scrape = async () => {
      const response = await fetch(`${metricsUrl}/metrics`);
      expect(response.headers.get('content-type')).toContain('text/plain; version=0.0.4');
      return response.text();
    };
    await backend.client().auth.login.mutate(loginInputOf(backend, 'seen'));
    for (const code of ['made-up', '!']) await failureOf(backend.client().auth.checkUser.mutate({ code }));
    for (const path of ['auth.nothing', 'auth.login-x', `auth.${'x'.repeat(100)}`, '%22}inject{']) {
      await fetch(`${backend.url}/trpc/${path}`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: '{}',
      });
    }
    const hung = backend.standin.phone.login({ user: 'hung' }).code;
    backend.standin.phone.fault({ code: hung, fault: { kind: 'delay', ms: 500 } });
    const inFlight = backend.client().auth.checkUser.mutate({ code: hung });
    await new Promise((resolve) => setTimeout(resolve, 200));
    const during = await scrape();
    expect(during).toContain('guoke_wechat_exchanges_in_flight 1\n');
    await inFlight;

    const text = await scrape();
    expect(text).toContain('guoke_calls_total{procedure="auth.login",reason="OK"} 1\n');
    expect(text).toContain('guoke_calls_total{procedure="auth.checkUser",reason="OK"} 1\n');
    expect(text).toContain('guoke_calls_total{procedure="auth.checkUser",reason="CODE_INVALID"} 1\n');
    expect(text).toContain('guoke_calls_total{procedure="auth.checkUser",reason="INPUT_INVALID"} 1\n');
    expect(text).toMatch(/^guoke_call_duration_seconds_count\{procedure="auth\.checkUser"\} 3$/m);
    expect(text).toMatch(/^guoke_call_duration_seconds_bucket\{le="0\.25",procedure="auth\.checkUser"\} 2$/m);
    expect(text).toContain('guoke_wechat_exchanges_in_flight 0\n');
    expect(text).toMatch(/^guoke_database_pool_size (1|10)$/m);
    expect(text).toContain('guoke_database_pool_in_use 0\n');
    expect(text).toContain('guoke_database_pool_waiting 0\n');
    expect(text).toMatch(/^nodejs_eventloop_lag_p99_seconds \S+$/m);
    expect(text).toMatch(/^process_resident_memory_bytes \d+$/m);
    const procedures = [...text.matchAll(/procedure="([^"]*)"/g)].map(([, name]) => name);
    expect(new Set(procedures)).toEqual(new Set(['auth.checkUser', 'auth.login']));

    for (const path of ['/', '/metricsx', '/healthz']) expect((await fetch(metricsUrl + path)).status).toBe(404);
    expect((await fetch(`${metricsUrl}/metrics`, { method: 'POST' })).status).toBe(404);
    expect((await fetch(`${backend.url}/metrics`)).status).toBe(404);
    await backend.close();
    await expect(fetch(`${metricsUrl}/metrics`)).rejects.toThrow('fetch failed');
  });
});

test('metrics are off unless a port is given', async () => {
  const backend = await startBackend();
  expect(backend.metricsUrl).toBeNull();
  await backend.close();
});

test('the dashboard, docs/metrics.md and its Chinese twin know every metric of ours, and no other', async () => {
  const backend = await startBackend({ env: { METRICS_PORT: '0' } });
  await failureOf(backend.client().auth.checkUser.mutate({ code: '!' }));
  const text = await (await fetch(`${backend.metricsUrl}/metrics`)).text();
  await backend.close();
  const ours = [...text.matchAll(/^# TYPE (\S+) /gm)].map(([, name = '']) => name);
  const namesIn = async (file: string) => {
    const names = (await readFile(file, 'utf8')).match(/\b(guoke|nodejs|process)_[a-z_0-9]+/g) ?? [];
    return [...new Set(names.map((name) => name.replace(/_(bucket|count|sum)$/, '')))];
  };
  for (const file of ['docs/metrics.md', 'docs/zh/metrics.md', 'deploy/grafana/dashboard.json']) {
    const named = await namesIn(file);
    expect(
      named.filter((name) => !ours.includes(name)),
      file,
    ).toEqual([]);
    expect(
      ours.filter((name) => name.startsWith('guoke_') && !named.includes(name)),
      file,
    ).toEqual([]);
  }
  const dashboard: { panels: { title: string; targets: { expr: string }[] }[] } = JSON.parse(
    await readFile('deploy/grafana/dashboard.json', 'utf8'),
  );
  expect(dashboard.panels.length).toBeGreaterThan(4);
});
