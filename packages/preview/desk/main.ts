import type { Call } from '../calls.ts';
import type { Person } from '../native.ts';
import type { PushedEvent, Settings } from '../phone.ts';
import type { shownRow } from '../row.ts';
import { emptyLocalDrawer } from '../screen/local-drawer.ts';
import { showCalls } from './calls-panel.ts';
import { button, byId, image } from './element.ts';
import { createRowPanel } from './row-panel.ts';

interface State {
  appId: string;
  settings: Settings;
  calls: Call[];
  row: ReturnType<typeof shownRow> | null;
  /** Where a path in `avatar_url` is found. */
  backendUrl: string;
  people: Array<Omit<Person, 'phoneNumber'> & { note: string }>;
}

const screen = byId('screen') as HTMLIFrameElement;
const rowPanel = createRowPanel();

const switches = [
  ['offline', '断网', 'offline'],
  ['rotateOnLogin', '登录时换密钥', 'wx.login rotates the key'],
  ['anonymous', '匿名资料', 'profile as since 2022'],
] as const;

/** Of the nickname, the avatar and the phone number. */
const revocation: PushedEvent = { event: 'user_authorization_revoke', fields: { RevokeInfo: '6,8' } };
const cancellation: PushedEvent = { event: 'user_authorization_cancellation' };

const actions = [
  ['重新打开', 'relaunch', 'go', relaunch],
  ['卸载重装', 'clear the phone', '', reinstall],
  ['换掉会话密钥', 'rotate the key now', '', () => post('rotate')],
  ['撤回授权', 'revoke in WeChat', '', () => post('push', revocation)],
  ['注销微信', 'leave WeChat', '', () => post('push', cancellation)],
] as const;

// The screen says so after each thing that went through the phone's native side.
addEventListener('message', ({ source, data }) => {
  if (source === screen.contentWindow && data === 'changed') void refresh();
});
byId('actions').append(...actions.map(([label, english, className, act]) => button(label, english, className, act)));
setInterval(tick, 1000);
tick();
void refresh();

async function stateOfPhone(): Promise<State> {
  return (await (await fetch('/preview/state')).json()) as State;
}

async function refresh(): Promise<void> {
  const state = await stateOfPhone();
  const { settings } = state;
  byId('people').replaceChildren(
    ...state.people.map(({ user, nickName, avatarUrl, note }) => {
      const made = button(nickName, note, '', () => become(user));
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
  rowPanel.show(state.row, state.backendUrl);
  showCalls(state.calls);
}

async function become(user: string): Promise<void> {
  rowPanel.forget();
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
