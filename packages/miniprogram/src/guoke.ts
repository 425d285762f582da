import type { AppRouter } from '@guoke/client';
import { createClient } from '@guoke/client';
import { baseUrl } from './config';

/** The backend's procedures, this phone's session and where avatars are: one of each for the whole app. */
// oxlint-disable-next-line typescript/no-unnecessary-type-arguments -- said aloud: with procedures of your own, your router goes here.
export const { api, session, avatarUrlOf } = createClient<AppRouter>({ baseUrl });
