/** Calls a listener of the page's. A mistake in it is thrown on its own, later: a call or a login must not fail of it. */
export function notify<Args extends unknown[]>(listener: (...args: Args) => void, ...args: Args): void {
  try {
    listener(...args);
  } catch (error) {
    setTimeout(() => {
      throw error;
    }, 0);
  }
}
