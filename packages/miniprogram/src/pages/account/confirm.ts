interface Question {
  title: string;
  content: string;
  /** At most four characters. */
  confirmText: string;
}

/** WeChat's dialog with two buttons. Resolves to whether the user said yes. */
export function confirm(question: Question): Promise<boolean> {
  return new Promise((resolve) => {
    wx.showModal({ ...question, success: ({ confirm: said }) => resolve(said), fail: () => resolve(false) });
  });
}
