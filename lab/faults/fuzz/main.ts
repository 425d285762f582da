import { parseArgs } from 'node:util';
import { fuzz } from './fuzz.ts';

const { values } = parseArgs({
  options: {
    seed: { type: 'string', default: String(Math.floor(Math.random() * 1_000_000)) },
    requests: { type: 'string', default: '30000' },
  },
});
const seed = Number(values.seed);
const requests = Number(values.requests);
console.log(`fuzz: ${requests} requests, seed ${seed}; again with: npm run fuzz -- --seed ${seed}`);

const { statuses, problems, heapGrowthMb, seconds } = await fuzz({
  seed,
  requests,
  progress: (done) => {
    if (process.stderr.isTTY) process.stderr.write(`\r\u001B[K${done} of ${requests}`);
  },
});
if (process.stderr.isTTY) process.stderr.write('\r\u001B[K');
for (const { problem, index, command } of problems) console.log(`PROBLEM at ${index}: ${problem}\n  ${command}`);
const answers = [...statuses]
  .toSorted(([a], [b]) => a.localeCompare(b))
  .map(([status, count]) => `${status}: ${count}`);
console.log(`answers ${answers.join(', ')}`);
console.log(
  `${problems.length === 0 ? 'nothing found' : `${problems.length} PROBLEMS`} in ${seconds.toFixed(0)} s; the heap grew by ${heapGrowthMb.toFixed(1)} MB`,
);
process.exitCode = problems.length === 0 ? 0 : 1;
