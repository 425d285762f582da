import { expect, test } from 'vitest';
import { compileWxss } from '../wxss.ts';

test('rpx are measured on a screen of 750', () => {
  expect(compileWxss('.a { margin: -15rpx 3px 7.5rpx }', null)).toContain('margin: -2vw 3px 1vw');
});

test('the rules of a page hold for that page alone, at the weight that they have in WeChat', () => {
  const css = compileWxss('page { color: red } view.a > button, .view { top: 0 }', 'pages/a');
  expect(css).toContain('wx-page:where([data-path="pages/a"]) {');
  expect(css).toContain(':where([data-path="pages/a"]) wx-view.a > wx-button');
  expect(css).toContain(':where([data-path="pages/a"]) .view {');
});

test('the steps of an animation are not taken for selectors', () => {
  expect(compileWxss('@keyframes a { from { top: 0 } }', 'pages/a')).toContain('{ from {');
});
