import type { AppRouter } from '@guoke/client';
import { createClient } from '@guoke/client';
import { baseUrl } from './config';

/** The backend's procedures and this phone's session: one of each for the whole app. */
// oxlint-disable-next-line typescript/no-unnecessary-type-arguments -- said aloud: with procedures of your own, your router goes here.
export const { api, session } = createClient<AppRouter>({ baseUrl });
