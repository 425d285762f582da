const colours = [
  ['#34d399', '#0e9f6e'],
  ['#f9a8d4', '#db2777'],
  ['#93c5fd', '#2563eb'],
  ['#fcd34d', '#d97706'],
] as const;

/** A picture for somebody whose real one is at WeChat, out of reach: the first letter of the name. */
export function portrait(name: string, index: number): string {
  const [from, to] = colours[Math.max(index, 0) % colours.length] ?? colours[0];
  const letter = (Array.from(name)[0] ?? '').replace(/[<&]/g, '');
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 132 132"><defs><linearGradient id="g" x2="1" y2="1"><stop stop-color="${from}"/><stop offset="1" stop-color="${to}"/></linearGradient></defs><rect width="132" height="132" fill="url(#g)"/><text x="66" y="88" font-size="62" fill="#fff" text-anchor="middle" font-family="PingFang SC,Noto Sans CJK SC,sans-serif">${letter}</text></svg>`;
}
