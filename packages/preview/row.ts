const sealed = /^(session_key|prev_session_key|phone_number)$/;
const cut = /^(open_id|union_id)$/;

/** A row as it may be shown: columns named as in the table, nothing sealed opened or even quoted, ids cut short. */
export function shownRow(
  row: object,
): Array<{ column: string; value: string; kind: 'plain' | 'null' | 'sealed' | 'picture' }> {
  // An interface such as the store's User has no index signature, whatever its fields are.
  const fields = row as Readonly<Record<string, string | number | null | undefined>>;
  return Object.entries(fields).map(([name, value]) => {
    const column = name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
    if (value === null || value === undefined) return { column, value: 'NULL', kind: 'null' };
    // A column that nobody has named here may be sealed too.
    if (sealed.test(column) || String(value).startsWith('v1.')) return { column, value: 'sealed', kind: 'sealed' };
    if (column === 'session_key_fingerprint') return { column, value: 'HMAC-SHA-256', kind: 'sealed' };
    if (column === 'avatar_url') return { column, value: String(value), kind: 'picture' };
    if (cut.test(column)) return { column, value: `${String(value).slice(0, 4)}…`, kind: 'plain' };
    if (column.endsWith('_at'))
      return { column, value: new Date(Number(value)).toLocaleString('sv-SE').slice(5), kind: 'plain' };
    return { column, value: String(value), kind: 'plain' };
  });
}
