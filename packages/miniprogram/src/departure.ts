const key = 'departure';

/** How the user left on this phone. */
export type Departure = 'logged-out' | 'deleted';

/** How the user has left on this phone, if they have. It lasts until they log in again, over launches too. */
export const departure = {
  read(): Departure | undefined {
    const stored: unknown = wx.getStorageSync(key);
    return stored === 'logged-out' || stored === 'deleted' ? stored : undefined;
  },
  write(value: Departure): void {
    wx.setStorageSync(key, value);
  },
  forget(): void {
    wx.removeStorageSync(key);
  },
};
