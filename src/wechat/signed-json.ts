/** Deeper than anything that WeChat signs or seals. */
const maxLevels = 16;

/**
 * The value of JSON that WeChat signed or sealed. It writes control characters of a nickname into the text as they are, which
 * JSON forbids. Throws SyntaxError for other text, for values nested so deep that comparing them would exhaust the stack, and
 * for an object that has a name twice: the second would hide the seam of two sealed texts that a caller has joined.
 */
export function parseSignedJson(text: string): unknown {
  const value = parseLeniently(text);
  if (!isWithin(value, maxLevels)) throw new SyntaxError('nested too deep');
  if (countWrittenNames(text) !== countNames(value)) throw new SyntaxError('a name stands twice');
  return value;
}

/** In JSON that was parsed: a text before a colon is a name. */
function countWrittenNames(text: string): number {
  let names = 0;
  for (const [, colon] of text.matchAll(/"(?:[^"\\]|\\.)*"(\s*:)?/gs)) if (colon) names += 1;
  return names;
}

function countNames(value: unknown): number {
  if (typeof value !== 'object' || value === null) return 0;
  const inner = Object.values(value).reduce<number>((sum, each) => sum + countNames(each), 0);
  return inner + (Array.isArray(value) ? 0 : Object.keys(value).length);
}

function parseLeniently(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    const escaped = text.replace(/\p{Cc}/gu, (each) => JSON.stringify(each).slice(1, -1));
    if (escaped === text) throw error;
    return JSON.parse(escaped);
  }
}

function isWithin(value: unknown, levels: number): boolean {
  if (typeof value !== 'object' || value === null) return true;
  return levels > 0 && Object.values(value).every((inner) => isWithin(inner, levels - 1));
}
