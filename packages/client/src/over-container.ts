import type { RequestOptions, Transport } from './wx.ts';

interface ContainerRequest extends Omit<RequestOptions, 'url'> {
  config: { env: string };
  path: string;
  timeout: number;
}

/** What this package needs of `wx.cloud`; `wx.cloud.init` was called before. */
export interface Cloud {
  callContainer(request: ContainerRequest): unknown;
}

interface ContainerOptions {
  /** The id of the cloud environment. */
  env: string;
  /** The name of the service in it. */
  service: string;
  /** Stands in for WeChat's global `wx`. */
  wx?: { cloud?: Cloud };
}

/** WeChat's own limits for a request: 100 KB and 15 s. */
const maxBytes = 100_000;
const maxTimeoutMs = 15_000;

/**
 * A transport that reaches a backend in WeChat's 云托管 through WeChat itself: no domain to register, no certificate. Of a
 * URL it uses the path. What is too large for it fails as TOO_LARGE, as a gateway's 413 does.
 */
export function overContainer({ env, service, wx: platform = wx }: ContainerOptions): Transport {
  return ({ url, ...options }) => {
    if (options.data.length > maxBytes) {
      options.success({ statusCode: 413, data: '', header: {} });
      return;
    }
    if (!platform.cloud) throw new Error('There is no wx.cloud');
    platform.cloud.callContainer({
      ...options,
      config: { env },
      path: url.replace(/^\w+:\/\/[^/]*/, ''),
      header: { ...options.header, 'X-WX-SERVICE': service },
      timeout: maxTimeoutMs,
    });
  };
}
