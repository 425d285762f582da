import { createClient } from '@guoke/client';

export const { api, session } = createClient({ baseUrl: 'http://127.0.0.1:8080', wx: uni });
