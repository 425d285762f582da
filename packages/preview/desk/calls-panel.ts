import type { Call } from '../calls.ts';
import { byId, element } from './element.ts';

/** Shows the calls that left the page, the latest at the bottom and in sight. */
export function showCalls(calls: Call[]): void {
  const list = byId('calls');
  list.replaceChildren(
    ...calls.map(({ at, name, kind, outcome, status, durationMs, detail }) => {
      const line = element('li', '');
      const time = element('time', '', new Date(at).toLocaleTimeString('zh-CN', { hour12: false }));
      line.append(time, element('span', kind, name), element('span', `badge ${outcome}`, status));
      line.append(element('span', 'took', outcome === 'pending' ? '' : `${Math.max(1, Math.round(durationMs))} ms`));
      if (detail !== '') line.append(element('span', 'detail', detail));
      return line;
    }),
  );
  list.scrollTop = list.scrollHeight;
}
