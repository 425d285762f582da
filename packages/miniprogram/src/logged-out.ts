const key = 'logged-out';

/** Whether the user has logged out on this phone. It lasts until they log in again, over launches too. */
export const loggedOut = {
  read: (): boolean => wx.getStorageSync(key) === true,
  write(value: boolean): void {
    if (value) wx.setStorageSync(key, true);
    else wx.removeStorageSync(key);
  },
};
