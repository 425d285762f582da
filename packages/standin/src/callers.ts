import type { MiddlewareHandler } from 'hono';

/** Names by which a server on this machine is asked that no foreign page can have pointed here. */
const loopback = /^(127\.\d+\.\d+\.\d+|localhost|\[?::1\]?)$/;

/**
 * Lets through what a backend or a shell sends, and refuses a web page in a browser on the same machine: one of another
 * origin by the Origin that a browser adds, one whose name was made to lead here (DNS rebinding) by its Host.
 */
export function knownCallersOnly({ host }: { host: string }): MiddlewareHandler {
  return async (c, next) => {
    const asked = c.req.header('host') ?? '';
    // The port may be another one: that of a proxy in between.
    if (loopback.test(host) && !loopback.test(asked.replace(/:\d+$/, ''))) {
      return c.json({ error: 'this stand-in is called 127.0.0.1 or localhost, and nothing else' }, 403);
    }
    const origin = c.req.header('origin');
    if (origin !== undefined && origin !== `http://${asked}`) {
      return c.json({ error: 'a web page of another origin is not answered' }, 403);
    }
    return next();
  };
}
