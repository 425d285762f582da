import { median } from './measure.ts';
import { ratio, type Results, type Samples } from './report.ts';

const width = 720;
const left = 110;
const barHeight = 22;
const colours: Readonly<Record<string, string>> = { guoke: '#2f8f5b' };

/** The phone's calls and one in the plain form, in this order. */
const panels = [
  ['checkUser', 'auth.checkUser, as a phone sends it at each launch'],
  ['login', 'auth.login, as a phone sends it'],
  ['me', 'user.me, as a phone sends it'],
  ['plain-login', 'auth.login, plain: no batch'],
] as const;

/** Processor time per request of server and database as bars, in SVG that a README can show on any background. */
export function chart(results: Results): string {
  let bottom = 18;
  const drawn = panels.map(([window, title]) => {
    const { svg, bottom: end } = panel(title, results.get(window) ?? new Map(), bottom + 30);
    bottom = end;
    return svg;
  });
  const height = 50 + bottom;
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" font-family="system-ui, sans-serif" font-size="13">
<rect width="${width}" height="${height}" rx="8" fill="#ffffff"/>
<text x="16" y="28" font-size="16" font-weight="600" fill="#1c1c1c">Processor time per request, µs (shorter is better)</text>
${drawn.join('\n')}
<text x="16" y="${height - 18}" font-size="12" fill="#6b6b6b">Full bar: the server; light end: the database. 32 connections, MariaDB flushing at each commit. npm run bench</text>
</svg>
`;
}

function panel(title: string, samples: Samples, top: number): { svg: string; bottom: number } {
  const rows = [...samples].map(([name, taken]) => ({
    name,
    server: median(taken.map(({ serverUs }) => serverUs)),
    database: median(taken.map(({ databaseUs }) => databaseUs)),
  }));
  const scale = (width - left - 190) / Math.max(...rows.map(({ server, database }) => server + database));
  const bars = rows.map(({ name, server, database }, index) => {
    const y = top + 22 + index * 34;
    const [full, light] = [server * scale, database * scale];
    const times = name === 'floor' ? '' : ` · ${ratio(samples, name, 'serverUs').median.toFixed(2)} ×`;
    const colour = colours[name] ?? '#8a8f98';
    return `<text x="${left - 10}" y="${y + 16}" text-anchor="end" fill="#1c1c1c">${name}</text>
<rect x="${left}" y="${y}" width="${full.toFixed(1)}" height="${barHeight}" fill="${colour}"/>
<rect x="${(left + full).toFixed(1)}" y="${y}" width="${light.toFixed(1)}" height="${barHeight}" fill="${colour}" opacity="0.35"/>
<text x="${(left + full + light + 8).toFixed(1)}" y="${y + 16}" fill="#1c1c1c">${server.toFixed(0)} + ${database.toFixed(0)}${times}</text>`;
  });
  return {
    svg: `<text x="16" y="${top + 10}" font-weight="600" fill="#1c1c1c">${title}</text>\n${bars.join('\n')}`,
    bottom: top + 22 + rows.length * 34,
  };
}
