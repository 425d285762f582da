import { createHash } from 'node:crypto';

/** The profile that a user shows; in the order of WeChat's own `rawData`. Sealing keeps unknown keys. */
export interface Profile {
  nickName: string;
  gender: number;
  language: string;
  city: string;
  province: string;
  country: string;
  avatarUrl: string;
}

/** What new versions get since 8 November 2022. */
export const anonymousProfile: Readonly<Profile> = {
  nickName: '微信用户',
  gender: 0,
  language: '',
  city: '',
  province: '',
  country: '',
  avatarUrl:
    'https://thirdwx.qlogo.cn/mmopen/vi_32/POgEwh4mIHO4nibH0KlMECNjjGxQUq24ZEaGT4poC6icRiccVGKSyXwibcPq4BWmiaIGuG1icwxaQX6grC9VemZoJ8rg/132',
};

const nickNames = [
  ['林小夏', '一只柠檬', '苏打水🍋', '晚晚', '陈橙', '南风知我意', '小鹿乱撞', '青柠'],
  ['阿杰', '果壳里的宇宙', '王大锤', '老周', '山海', '程序员小李', '阿哲', '一叶知秋🍂'],
] as const;

/** The users of the documents and of the preview, by the part of their name before a hyphen: `xiaoming-2` is 小明 too. */
const namesakes = new Map<string, Pick<Profile, 'nickName' | 'gender'>>([
  ['xiaoming', { nickName: '小明', gender: 1 }],
  ['ajie', { nickName: '阿杰', gender: 1 }],
  ['lingling', { nickName: '玲玲', gender: 2 }],
  ['laozhou', { nickName: '老周', gender: 1 }],
  ['ningmeng', { nickName: '柠檬', gender: 2 }],
]);

/** The languages in which WeChat names places; English where the mini program asks for none. */
export type Lang = 'en' | 'zh_CN';

const places = [
  { en: ['Guangzhou', 'Guangdong'], zh_CN: ['广州', '广东'] },
  { en: ['Hangzhou', 'Zhejiang'], zh_CN: ['杭州', '浙江'] },
  { en: ['Chengdu', 'Sichuan'], zh_CN: ['成都', '四川'] },
  { en: ['Wuhan', 'Hubei'], zh_CN: ['武汉', '湖北'] },
  { en: ['Nanjing', 'Jiangsu'], zh_CN: ['南京', '江苏'] },
  { en: ['Pudong New District', 'Shanghai'], zh_CN: ['浦东新区', '上海'] },
] as const;

/** The profile of early 2021 of a person who set nothing: always the same for the same name. */
export function defaultProfile(user: string, lang: Lang = 'en'): Profile {
  const namesake = user.split('-', 1)[0] ?? '';
  const known = namesakes.get(namesake);
  const bytes = createHash('sha256')
    .update(`profile\n${known ? namesake : user}`)
    .digest();
  const female = bytes.readUInt8(0) % 2 === 0;
  const names = nickNames[female ? 0 : 1];
  const [city, province] = (places[bytes.readUInt8(2) % places.length] ?? places[0])[lang];
  return {
    nickName: names[bytes.readUInt8(1) % names.length] ?? names[0],
    gender: female ? 2 : 1,
    ...known,
    language: 'zh_CN',
    city,
    province,
    country: lang === 'en' ? 'China' : '中国',
    avatarUrl: `https://thirdwx.qlogo.cn/mmopen/vi_32/${bytes.toString('hex')}/132`,
  };
}
