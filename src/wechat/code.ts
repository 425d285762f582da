import { z } from 'zod';

/** A one-time code, of `wx.login` or of the phone number button. */
export const code = z.string().regex(/^[A-Za-z0-9_-]{1,128}$/);
