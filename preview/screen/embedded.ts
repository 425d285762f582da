/** What the jsdom launcher reaches from outside. */
export { launchApp } from './app.ts';
