import type { shownRow } from '../row.ts';
import { byId, element, image, inBoth } from './element.ts';

type Fields = ReturnType<typeof shownRow>;

/** Shows the stored row of the person who holds the phone. What changed since the last time lights up, in sight. */
export function createRowPanel() {
  let shown = new Map<string, string>();

  return {
    /** Another person's row does not count as a change. */
    forget: () => void (shown = new Map()),
    show(row: Fields | null, backendUrl: string): void {
      const fields = row ?? [];
      const isChanged = ({ column, value }: Fields[number]) => shown.size > 0 && shown.get(column) !== value;
      const lines = fields.map((field) => {
        const line = element('div', isChanged(field) ? 'field changed' : 'field');
        line.append(element('span', 'name', field.column), valueOf(field, backendUrl));
        return line;
      });
      byId('row-note').replaceChildren(...inBoth(...explanationOf(row)));
      const panel = byId('row');
      panel.replaceChildren(...lines);
      const changed = lines.find(({ classList }) => classList.contains('changed'));
      // Not by scrollIntoView, which would scroll a narrow page away from the phone.
      if (changed) panel.scrollTop = changed.offsetTop - panel.offsetTop - panel.clientHeight / 3;
      shown = new Map(fields.map(({ column, value }) => [column, value]));
    },
  };
}

function valueOf({ value, kind }: Fields[number], backendUrl: string): HTMLElement {
  if (kind !== 'picture') return element('span', kind, value);
  // The hash of a picture tells a reader nothing; the whole address stands in the title.
  const line = element('span', kind, value.length > 22 ? `${value.slice(0, 9)}…${value.slice(-9)}` : value);
  line.title = value;
  // A mini program may send anything for an address, and the row shows it all the same.
  if (URL.canParse(value, backendUrl)) line.prepend(image(new URL(value, backendUrl).href));
  return line;
}

/** Why the row is as it is, in Chinese and in English. */
function explanationOf(row: Fields | null): [chinese: string, english: string] {
  if (!row)
    return ['还没有这个人。小程序一打开，wx.login 就会写下第一行。', 'No row yet: wx.login writes the first one.'];
  const isKnown = row.some(({ column, kind }) => column === 'nick_name' && kind !== 'null');
  if (isKnown) return ['资料验过签名才写入；密钥和手机号是密文。', 'A profile is verified first; keys are sealed.'];
  return ['还没有资料，拒绝了也是这样：只有 openid 和密钥。', 'No profile, as after a refusal: an openid and a key.'];
}
