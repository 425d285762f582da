export { AbortController, type AbortSignal } from './abort-controller.ts';
export type { Api, CallOptions, Router, SessionState, SignedProfile, User } from './api.ts';
export { createClient, type Client, type ClientOptions } from './client.ts';
export { failureOf, type Failure } from './errors.ts';
export { overContainer } from './over-container.ts';
export type { Session } from './session.ts';
export type { Transport, Wx } from './wx.ts';
export type { AppRouter, Reason, Retry } from '../types/app-router.js';
