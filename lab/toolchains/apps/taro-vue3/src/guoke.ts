import { createClient } from '@guoke/client';
import Taro from '@tarojs/taro';

export const { api, session } = createClient({ baseUrl: 'http://127.0.0.1:8080', wx: Taro });
