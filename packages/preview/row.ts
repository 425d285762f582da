const sealed = /^(session_key|prev_session_key|phone_number)$/;
/** What a reader looks for first; any other column follows as it comes. */
const order =
  'open_id session_key nick_name avatar_url gender language country province city phone_number union_id prev_session_key'.split(
    ' ',
  );
const cut = /^(open_id|union_id)$/;

/** A row as it may be shown: columns named as in the table, what a reader looks for first, nothing sealed opened or even quoted, ids cut short. */
export function shownRow(
  row: object,
): Array<{ column: string; value: string; kind: 'plain' | 'null' | 'sealed' | 'picture' }> {
  // An interface such as the store's User has no index signature, whatever its fields are.
  const fields = row as Readonly<Record<string, string | number | null | undefined>>;
  const columns = Object.entries(fields).map(([name, value]): [column: string, value: typeof value] => [
    name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`),
    value,
  ]);
  const place = (column: string) => (order.includes(column) ? order.indexOf(column) : order.length);
  return columns
    .toSorted(([one], [other]) => place(one) - place(other))
    .map(([column, value]) => {
      if (value === null || value === undefined) return { column, value: 'NULL', kind: 'null' };
      // A column that is not in the list above may be sealed too.
      if (sealed.test(column) || String(value).startsWith('v1.')) return { column, value: 'sealed', kind: 'sealed' };
      if (column.endsWith('_fingerprint')) return { column, value: 'HMAC-SHA-256', kind: 'sealed' };
      if (column === 'avatar_url') return { column, value: String(value), kind: 'picture' };
      if (cut.test(column)) return { column, value: `${String(value).slice(0, 4)}…`, kind: 'plain' };
      if (column.endsWith('_at'))
        return { column, value: new Date(Number(value)).toLocaleString('sv-SE').slice(5), kind: 'plain' };
      return { column, value: String(value), kind: 'plain' };
    });
}
