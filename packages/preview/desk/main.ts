import type { Call } from '../calls.ts';
import type { Person } from '../native.ts';
import type { Holder } from '../people.ts';
import type { PushedEvent, Settings } from '../phone.ts';
import type { shownRow } from '../row.ts';
import { emptyLocalDrawer } from '../screen/local-drawer.ts';
import { showCalls } from './calls-panel.ts';
import { button, byId, element, image, inBoth } from './element.ts';
import { languageSwitch } from './language-switch.ts';
import { createRowPanel } from './row-panel.ts';

interface State {
  appId: string;
  settings: Settings;
  calls: Call[];
  row: ReturnType<typeof shownRow> | null;
  /** Where a path in `avatar_url` is found. */
  backendUrl: string;
  people: Array<Omit<Person, 'phoneNumber'> & Pick<Holder, 'note'>>;
}

const screen = byId('screen') as HTMLIFrameElement;
const rowPanel = createRowPanel();

const switches = [
  ['offline', '断网', 'Go offline'],
  ['rotateOnLogin', '登录时换密钥', 'Rotate the key at login'],
  ['anonymous', '匿名资料', 'Anonymous profile'],
] as const;

/** Of the nickname, the avatar and the phone number. */
const revocation: PushedEvent = { event: 'user_authorization_revoke', fields: { RevokeInfo: '6,8' } };
const cancellation: PushedEvent = { event: 'user_authorization_cancellation' };

const actions = [
  ['重新打开', 'Open again', 'go', relaunch],
  ['卸载重装', 'Reinstall', '', reinstall],
  ['换掉会话密钥', 'Rotate the key now', '', () => post('rotate')],
  ['撤回授权', 'Revoke in WeChat', '', () => post('push', revocation)],
  ['注销微信', 'Leave WeChat', '', () => post('push', cancellation)],
] as const;

// The screen says so after each thing that went through the phone's native side.
addEventListener('message', ({ source, data }) => {
  if (source === screen.contentWindow && data === 'changed') void refresh();
});
byId('actions').append(
  ...actions.map(([chinese, english, className, act]) => button(inBoth(chinese, english), className, act)),
);
byId('languages').append(...languageSwitch());
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
      const small = element('small', '');
      small.append(...inBoth(note.zh, note.en));
      const made = button([image(avatarUrl), element('span', '', nickName), small], '', () => become(user));
      made.ariaPressed = String(user === settings.user);
      return made;
    }),
  );
  byId('switches').replaceChildren(
    ...switches.map(([name, chinese, english]) => {
      const made = button(inBoth(chinese, english), '', () => post('settings', { [name]: !settings[name] }));
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
