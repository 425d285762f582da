import { JSDOM } from 'jsdom';
import { expect, test } from 'vitest';
import { createLocalDrawer, emptyLocalDrawer } from '../screen/local-drawer.ts';

test('each person has a drawer of their own, and emptying one leaves the others', () => {
  const { localStorage } = new JSDOM('', { url: 'http://127.0.0.1' }).window;
  const [mine, hers] = ['ming', 'ling'].map((user) => ({ appId: 'wx1', user }));
  if (!mine || !hers) throw new Error('two people');
  createLocalDrawer(mine, localStorage).write('storage:session', 'mine');
  createLocalDrawer(mine, localStorage).write('wechat:privacy', 'agreed');
  createLocalDrawer(hers, localStorage).write('storage:session', 'hers');
  emptyLocalDrawer(mine, localStorage);
  expect(createLocalDrawer(mine, localStorage).read('storage:session')).toBeNull();
  expect(createLocalDrawer(mine, localStorage).read('wechat:privacy')).toBeNull();
  expect(createLocalDrawer(hers, localStorage).read('storage:session')).toBe('hers');
});
