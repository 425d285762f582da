import { expect, test } from 'vitest';
import { fuzz } from '../../lab/faults/fuzz/fuzz.ts';

test('3,000 malformed requests: nothing leaks, nothing breaks, and every answer under /trpc has tRPC’s shape', async () => {
  const { problems, statuses } = await fuzz({ seed: 20_261_122, requests: 3000 });
  expect(problems).toEqual([]);
  // Requests that are all refused at the door would prove nothing.
  expect(statuses.get('200') ?? 0).toBeGreaterThan(100);
  expect([...statuses.keys()]).toEqual(
    expect.arrayContaining(['207', '400', '401', '404', '405', '413', '415', '502']),
  );
}, 120_000);
