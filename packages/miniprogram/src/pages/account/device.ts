/** A session as the backend lists it. Times are Unix milliseconds. */
interface ListedSession {
  id: string;
  createdAt: number;
  lastUsedAt: number;
  isCurrent: boolean;
}

/** A session in words. */
export interface Device {
  id: string;
  name: string;
  /** When it was made and used last. */
  times: string;
  isCurrent: boolean;
}

export function deviceOf({ id, createdAt, lastUsedAt, isCurrent }: ListedSession): Device {
  const name = isCurrent ? '这部手机' : '另一处登录';
  return { id, name, times: `${timeOf(createdAt)} 登录，最近使用 ${timeOf(lastUsedAt)}`, isCurrent };
}

/** `11-27 09:05`, in the phone's own time. By hand: not every phone's JavaScript has `Intl`. */
function timeOf(ms: number): string {
  const time = new Date(ms);
  const [month, day, hours, minutes] = [time.getMonth() + 1, time.getDate(), time.getHours(), time.getMinutes()].map(
    (part) => `${part < 10 ? '0' : ''}${part}`,
  );
  return `${month}-${day} ${hours}:${minutes}`;
}
