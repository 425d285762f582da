/**
 * What a document shows badly: text of a contrast under 4.5:1 or cut off, a page wider than its window. It runs inside
 * the browser, where nothing of this file is but the function itself.
 */
export function findIllegible({ ownerDocument: document }: Element, exempt: string): string[] {
  const found: string[] = [];
  const channels = (color: string) => (color.match(/[\d.]+/g) ?? ['0', '0', '0', '0']).map(Number);
  const over = ([r = 0, g = 0, b = 0, a = 1]: number[], below: number[]) =>
    [r, g, b].map((value, index) => value * a + (below[index] ?? 0) * (1 - a));
  const luminance = (color: number[]) => {
    const [r = 0, g = 0, b = 0] = color.map((value) => {
      const share = value / 255;
      return share <= 0.03928 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
    });
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const backgroundOf = (element: Element | null): number[] => {
    if (!element) return [255, 255, 255];
    const color = channels(getComputedStyle(element).backgroundColor);
    return color[3] === 0 ? backgroundOf(element.parentElement) : over(color, backgroundOf(element.parentElement));
  };

  if (document.documentElement.scrollWidth > innerWidth) found.push(`the page is wider than ${innerWidth}`);
  const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (texts.nextNode()) {
    const text = texts.currentNode.textContent?.trim() ?? '';
    const element = texts.currentNode.parentElement;
    if (text === '' || !element?.checkVisibility() || element.closest(`script, style, ${exempt}`)) continue;
    const style = getComputedStyle(element);
    const [light = 0, dark = 0] = [over(channels(style.color), backgroundOf(element)), backgroundOf(element)]
      .map(luminance)
      .toSorted((one, other) => other - one);
    const contrast = (light + 0.05) / (dark + 0.05);
    if (contrast < 4.5) found.push(`"${text}" has a contrast of ${contrast.toFixed(2)}`);
    const isInline = style.display === 'inline';
    if (!isInline && element.scrollWidth > element.clientWidth + 1) found.push(`"${text}" is cut off`);
  }
  return found;
}
