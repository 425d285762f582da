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

const places = [
  ['Guangzhou', 'Guangdong'],
  ['Hangzhou', 'Zhejiang'],
  ['Chengdu', 'Sichuan'],
  ['Wuhan', 'Hubei'],
  ['Nanjing', 'Jiangsu'],
  ['Pudong New District', 'Shanghai'],
] as const;

/** The profile of early 2021 of a person who set nothing: always the same for the same name. */
export function defaultProfile(user: string): Profile {
  const bytes = createHash('sha256').update(`profile\n${user}`).digest();
  const female = bytes.readUInt8(0) % 2 === 0;
  const names = nickNames[female ? 0 : 1];
  const [city, province] = places[bytes.readUInt8(2) % places.length] ?? places[0];
  return {
    nickName: names[bytes.readUInt8(1) % names.length] ?? names[0],
    gender: female ? 2 : 1,
    language: 'zh_CN',
    city,
    province,
    country: 'China',
    avatarUrl: `https://thirdwx.qlogo.cn/mmopen/vi_32/${bytes.toString('hex')}/132`,
  };
}
