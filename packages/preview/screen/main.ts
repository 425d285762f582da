import { launchApp } from './app.ts';
import { createBridge } from './bridge.ts';
import { createLocalDrawer } from './local-drawer.ts';
import { createShadowSandbox } from './sandbox.ts';

/** The phone's screen in a browser: asks the preview server for the mini program and for all that is not on the page. */
const answer = await fetch('/preview/program');
if (answer.ok) {
  const { program, appId, hosts, user } = await answer.json();
  launchApp({
    program,
    native: createBridge({ appId, hosts, onChange: () => parent.postMessage('changed', location.origin) }),
    drawer: createLocalDrawer({ appId, user }),
    sandbox: createShadowSandbox(),
    onError: (error) => console.error(error),
  });
} else {
  const text = document.createElement('pre');
  text.textContent = await answer.text();
  document.body.append(text);
}
