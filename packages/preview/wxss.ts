import postcss from 'postcss';
import { builtinTags } from './builtins.ts';

const tag = new RegExp(String.raw`(^|[\s>+~,(])(${builtinTags.join('|')}|page)(?![\w-])`, 'g');

/** Translates WXSS: rpx to vw (the screen is 750rpx wide), tag names to ours, and a page's rules to that page alone. */
export function compileWxss(source: string, page: string | null): string {
  const root = postcss.parse(source);
  // In :where, so that a rule weighs here what it weighs in WeChat.
  const scope = page === null ? '' : `:where([data-path="${page}"])`;
  root.walkAtRules('import', () => {
    throw new Error('the preview does not know @import in wxss');
  });
  root.walkDecls((decl) => {
    decl.value = decl.value.replace(/(-?[\d.]+)rpx/g, (_, n: string) => `${Number(n) / 7.5}vw`);
  });
  root.walkRules((rule) => {
    const parent = rule.parent;
    if (parent?.type === 'atrule' && 'name' in parent && parent.name.endsWith('keyframes')) return;
    rule.selectors = rule.selectors.map((selector) => {
      const renamed = selector.replace(tag, '$1wx-$2');
      return renamed.includes('wx-page') ? renamed.replace('wx-page', `wx-page${scope}`) : `${scope} ${renamed}`;
    });
  });
  return root.toString();
}
