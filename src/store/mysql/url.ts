/**
 * `mysql://user:password@host:port/database`, with `?ssl=true` or nothing behind it; null for anything else. The scheme
 * is told by its letters: URL takes `MySQL:` for the same, and whoever else looks at the text does not.
 */
export function mysqlUrl(databaseUrl: string): URL | null {
  if (!databaseUrl.startsWith('mysql://') || !URL.canParse(databaseUrl)) return null;
  const url = new URL(databaseUrl);
  const isWhole = url.hostname !== '' && url.pathname.length > 1 && url.hash === '';
  return isWhole && ['', '?ssl=true'].includes(url.search) ? url : null;
}
