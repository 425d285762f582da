/** Deeper than anything that WeChat signs or seals. */
const maxLevels = 16;

/**
 * The value of JSON that WeChat signed or sealed. It writes control characters of a nickname into the text as they are, which
 * JSON forbids. Throws SyntaxError for other text, and for values nested so deep that comparing them would exhaust the stack.
 */
export function parseSignedJson(text: string): unknown {
  const value = parseLeniently(text);
  if (!isWithin(value, maxLevels)) throw new SyntaxError('nested too deep');
  return value;
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
