import type { Texts } from './english.ts';

/** What `npm run dev` says in Chinese. */
export const chinese: Texts = {
  portIsTaken: (port) => `端口 ${port} 已被占用，换用另一个。`,
  sealed: '（AES-256-GCM 密文）',
  story: {
    title: '一次首次登录，从手机到数据表',
    code: '一次性 code',
    exchanged: '后端拿 code 向模拟微信服务换取身份。',
    unknown: '后端还不认识这个用户。',
    profile: 'wx.getUserProfile → 签过名、加过密的资料；再次 wx.login，微信换掉会话密钥',
    proved: '用第 1 步的密钥验证了资料。',
    user: (name, place) => `用户：${name}，${place}。`,
    token: (days) => `后端自己的登录凭证，有效期 ${days} 天。`,
    row: (table) => `${table} 里存下的一行：`,
  },
  curl: {
    title: '试一试',
    code: '一次调用：手机拿到 code，后端拿它换取身份。',
    login: '完整的登录：签过名、加过密的资料，加一个 code。',
    batch: '一批两个调用。',
    refused: '签名不对：拒绝，回答和其他对不上的数据一字不差。',
  },
  open: {
    title: '打开看看',
    preview: '浏览器里的小程序   ',
    backend: '后端               ',
    standin: '模拟微信服务       ',
    ready: '就绪。',
    people: '手机上的最后一个人就是刚才登录的用户，其他人都是新用户。',
    end: '按 Ctrl-C 全部结束。',
  },
  restarted: {
    title: '已重新启动',
    where: (preview, backend) => `（文件有改动）。小程序：${preview}  后端：${backend}`,
  },
  page: {
    title: 'guoke（果壳），微信小程序的登录后端，开发模式。',
    procedures: '接口（描述见 docs/openapi.json，小程序怎样调用见 docs/zh/client.md）：',
    health: '健康检查：',
    alive: '进程活着',
    ready: '数据库有应答，表已就位',
    more: '加自己的接口：docs/zh/extending.md。上生产：docs/zh/deployment.md。',
  },
};
