export { AbortController, type AbortSignal } from './abort-controller.js';
export type { Api, CallOptions, Router, SessionState, SignedProfile, User } from './api.js';
export { createClient, type Client, type ClientOptions } from './client.js';
export { failureOf, type Failure } from './errors.js';
export type { Session } from './session.js';
export type { Wx } from './wx.js';
export type { AppRouter, Reason, Retry } from '../types/app-router.js';
