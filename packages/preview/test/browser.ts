import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { chromium, type Browser } from 'playwright-core';
import { people } from '../people.ts';
import { startPreview, type Preview } from '../server.ts';
import type { Backend } from '../../../test/support/backend.ts';

const executablePath = process.env['CHROMIUM'] ?? '/usr/bin/chromium';
const quiet =
  '--disable-gpu --disable-quic --no-first-run --disable-background-networking --disable-component-update --disable-sync';

/** Whether there is a Chromium to test in. Without one a run says what it did not test. */
export const hasChromium = existsSync(executablePath);
if (!hasChromium) {
  console.warn(
    `NOT TESTED: the preview in a real browser. There is no ${executablePath}; install chromium and fonts-noto-cjk, or set CHROMIUM.`,
  );
}

/** Where the screenshots are kept; git ignores it. */
export const artifacts = fileURLToPath(new URL('../../../artifacts/preview/', import.meta.url));

/** A headless Chromium. */
export function launchChromium(): Promise<Browser> {
  return chromium.launch({ executablePath, chromiumSandbox: false, args: quiet.split(' ') });
}

/** The preview of a backend, on any free port. */
export function openPreview(backend: Backend, holders: typeof people = people): Promise<Preview> {
  return startPreview({
    port: 0,
    standin: backend.standin,
    backendUrl: backend.url,
    readRow: (openId) => backend.store.findUser(openId),
    people: holders,
  });
}
