/** The labels of the results in Chinese, in the order in which they are looked for: the longer ones first. */
const phrases: readonly (readonly [RegExp, string])[] = [
  [/server µs a request/, '每个请求的服务器 µs'],
  [/server µs/, '服务器 µs'],
  [/database µs/, '数据库 µs'],
  [/bench µs/, '压测端 µs'],
  [/req\/s/, '请求/s'],
  [/^MB$/, '内存 MB'],
  [/^aim$/, '目标'],
  [/^this run$/, '这次'],
  [/^met$/, '达到'],
  [/^missed$/, '未达到'],
  [/ noisy$/, ' 波动大'],
  [/^phone[:,] /, '手机：'],
  [/^plain[:,] /, '普通：'],
  [/five (`?user\.me`?) in a batch/, '一批五个 $1'],
  [/,? in bursts/, '（突发）'],
  [/: processor time ÷ one/, '，处理器时间 ÷ 单个'],
  [/: processor time ÷/, '，处理器时间 ÷'],
  [/: database ÷/, '，数据库 ÷'],
  [/: throughput ÷/, '，吞吐量 ÷'],
  [/: p99 ÷/, '，p99 ÷'],
  [/^memory /, '内存 '],
];

/** Words that are the same in both languages: procedures, contestants and units. */
const names = /\b(auth\.\w+|user\.\w+|floor|guoke|fastify|express|beside\d+|p50|p99|ms)\b/gi;

/** What `npm run bench` publishes, in Chinese: the same figures under Chinese labels. Throws on a label without a translation. */
export function inChinese(results: string): string {
  return results.split('\n').map(lineInChinese).join('\n');
}

function lineInChinese(line: string): string {
  if (line.trim() === '') return line;
  if (line.startsWith('|')) return rowInChinese(line);
  const [, title, connections, rounds, seconds] =
    /^\*\*(.+)\*\*, (\d+) connections, (\d+) rounds of ([\d.]+) s$/.exec(line) ?? [];
  if (title) return `**${translate(title)}**，${connections} 条连接，${rounds} 轮，每轮 ${seconds} s`;
  const [, day, node, machine, minutes] = /^([\d-]+), (Node \S+), (.+), ([\d.]+) minutes\.$/.exec(line) ?? [];
  if (day) return `${day}，${node}，${machine}，${minutes} 分钟。`;
  const [, picture] = /^!\[.*\]\((.+)\)$/.exec(line) ?? [];
  if (picture) return `![每个请求的处理器时间：手机形式和普通形式](../${picture})`;
  throw new Error(`There is no Chinese for the line: ${line}`);
}

/** Without the padding: Chinese characters are wider than others, so that it would align nothing. */
function rowInChinese(row: string): string {
  const cells = row
    .slice(1, -1)
    .split('|')
    .map((cell) => cell.trim());
  const isRule = cells.every((cell) => /^-+:?$/.test(cell));
  const translated = cells.map((cell) => (isRule ? cell.replace(/^-+/, '---') : translate(cell)));
  return `| ${translated.join(' | ')} |`;
}

function translate(label: string): string {
  const translated = phrases.reduce((text, [english, chinese]) => text.replace(english, chinese), label);
  if (/[a-z]{2,}/.test(translated.replace(names, ''))) throw new Error(`There is no Chinese for the label: ${label}`);
  return translated;
}
