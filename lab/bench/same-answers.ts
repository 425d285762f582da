import type { Sample } from './measure.ts';

/** Node's own, and how the length is told. */
const transport = new Set(['date', 'connection', 'keep-alive', 'content-length', 'transfer-encoding']);

/** Throws when a baseline answers with other headers or other fields than our server: it would not do the same work. */
export function requireSameAnswer(title: string, ours: Sample, name: string, theirs: Sample): void {
  const [expected, found] = [shapeOf(ours.answer), shapeOf(theirs.answer)];
  if (expected !== found) throw new Error(`${title}: ${name} answers\n${found}\nwhere guoke answers\n${expected}`);
}

/** The names of an answer's headers and of its fields. */
function shapeOf(answer: string): string {
  const [head = '', body = ''] = answer.split('\r\n\r\n');
  const names = head
    .split('\r\n')
    .slice(1)
    .map((line) => line.split(':')[0]?.toLowerCase() ?? '');
  const headers = names.filter((name) => !transport.has(name)).toSorted();
  return `${headers.join()} ${JSON.stringify(fieldsOf(JSON.parse(body)))}`;
}

function fieldsOf(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(fieldsOf);
  if (typeof value !== 'object' || value === null) return '';
  const entries = Object.entries(value).toSorted(([a], [b]) => (a < b ? -1 : 1));
  return Object.fromEntries(entries.map(([name, field]) => [name, fieldsOf(field)]));
}
