/**
 * `mysql://user:password@host:port/database`, with `?ssl=true` or nothing behind it; null for anything else. The scheme
 * is told by its letters: URL takes `MySQL:` for the same, and other readers of the text do not.
 */
export function mysqlUrl(databaseUrl: string): URL | null {
  if (!databaseUrl.startsWith('mysql://') || !URL.canParse(databaseUrl)) return null;
  const url = new URL(databaseUrl);
  // A name with `/` or `@` is the rest of a password that was not percent-encoded: its beginning would be asked of the DNS.
  const isWhole = url.hostname !== '' && /^\/[^/@]+$/.test(url.pathname) && url.hash === '';
  return isWhole && ['', '?ssl=true'].includes(url.search) ? url : null;
}
