import type { Call } from '../calls.ts';
import type { Person } from '../native.ts';
import type { Settings } from '../phone.ts';
import type { shownRow } from '../row.ts';
import { emptyLocalDrawer } from '../screen/local-drawer.ts';

interface State {
  appId: string;
  settings: Settings;
  calls: Call[];
  row: ReturnType<typeof shownRow> | null;
  /** Where a path in `avatar_url` is found. */
  backendUrl: string;
  people: Array<Omit<Person, 'phoneNumber'>>;
}

const screen = byId('screen') as HTMLIFrameElement;
let shown = new Map<string, string>();

const switches = [
  ['offline', '断网', 'offline'],
  ['rotateOnLogin', '登录时换密钥', 'wx.login rotates the key'],
  ['anonymous', '匿名资料', 'profile as since 2022'],
] as const;

// The screen says so after each thing that went through the phone's native side.
addEventListener('message', ({ source, data }) => {
  if (source === screen.contentWindow && data === 'changed') void refresh();
});
setInterval(tick, 1000);
tick();
void refresh();

byId('buttons').append(
  button('重新打开', 'relaunch', 'go', relaunch),
  button('卸载重装', 'clear the phone’s storage', '', reinstall),
  button('换掉会话密钥', 'rotate the session key now', '', () => post('rotate')),
);

async function stateOfPhone(): Promise<State> {
  return (await (await fetch('/preview/state')).json()) as State;
}

async function refresh(): Promise<void> {
  const state = await stateOfPhone();
  const { settings } = state;
  byId('people').replaceChildren(
    ...state.people.map(({ user, nickName, avatarUrl }) => {
      const made = button(nickName, user, '', () => become(user));
      made.prepend(image(avatarUrl));
      made.ariaPressed = String(user === settings.user);
      return made;
    }),
  );
  byId('switches').replaceChildren(
    ...switches.map(([name, label, english]) => {
      const made = button(label, english, '', () => post('settings', { [name]: !settings[name] }));
      made.ariaPressed = String(settings[name]);
      return made;
    }),
  );
  byId('signal').textContent = settings.offline ? '无网络' : '5G';
  byId('signal').classList.toggle('off', settings.offline);
  showRow(state.row, state.backendUrl);
  showCalls(state.calls);
}

function showRow(row: State['row'], backendUrl: string): void {
  const fields = row ?? [];
  byId('row').replaceChildren(
    ...fields.map(({ column, value, kind }) => {
      const line = element('div', 'field');
      if (shown.size > 0 && shown.get(column) !== value) line.classList.add('changed');
      line.append(element('span', 'name', column), element('span', kind, value));
      // A mini program may send anything for an address, and the row shows it all the same.
      if (kind === 'picture' && URL.canParse(value, backendUrl)) {
        line.lastElementChild?.prepend(image(new URL(value, backendUrl).href));
      }
      return line;
    }),
  );
  if (!row) byId('row').append(element('div', 'empty', '还没有这个人。小程序一打开，wx.login 就会带来第一行。'));
  shown = new Map(fields.map(({ column, value }) => [column, value]));
}

function showCalls(calls: Call[]): void {
  const list = byId('calls');
  list.replaceChildren(
    ...calls.map(({ at, name, kind, outcome, status, durationMs, detail }) => {
      const line = element('li', '');
      const time = element('time', '', new Date(at).toLocaleTimeString('zh-CN', { hour12: false }));
      line.append(time, element('span', kind, name), element('span', `badge ${outcome}`, status));
      line.append(element('span', 'took', outcome === 'pending' ? '' : `${Math.max(1, Math.round(durationMs))} ms`));
      if (detail !== '') line.append(element('span', 'detail', detail));
      return line;
    }),
  );
  list.scrollTop = list.scrollHeight;
}

async function become(user: string): Promise<void> {
  shown = new Map();
  await post('settings', { user });
  relaunch();
}

async function reinstall(): Promise<void> {
  const { appId, settings } = await stateOfPhone();
  emptyLocalDrawer({ appId, user: settings.user });
  await post('forget-calls');
  relaunch();
}

function relaunch(): void {
  screen.contentWindow?.location.reload();
}

async function post(path: string, body: object = {}): Promise<void> {
  const headers = { 'content-type': 'application/json' };
  await fetch(`/preview/${path}`, { method: 'POST', headers, body: JSON.stringify(body) });
  await refresh();
}

function tick(): void {
  byId('clock').textContent = new Date().toLocaleTimeString('zh-CN', {
    hour: '2-digit',
    minute: '2-digit',
    hour12: false,
  });
}

function button(label: string, english: string, className: string, act: () => unknown): HTMLButtonElement {
  const made = document.createElement('button');
  made.className = className;
  made.append(element('span', '', label), element('small', '', english));
  made.addEventListener('click', () => void act());
  return made;
}

function image(src: string): HTMLImageElement {
  const made = document.createElement('img');
  made.src = src;
  return made;
}

function element(name: string, className: string, text = ''): HTMLElement {
  const made = document.createElement(name);
  made.className = className;
  made.textContent = text;
  return made;
}

function byId(id: string): HTMLElement {
  const found = document.getElementById(id);
  if (!found) throw new Error(`there is no #${id} on the page`);
  return found;
}
