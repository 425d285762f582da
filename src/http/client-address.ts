import { isIP, isIPv4 } from 'node:net';

interface Hops {
  /** The address of the socket: a proxy's, or the client's own. */
  remoteAddress: string | undefined;
  /** All `X-Forwarded-For` headers, in their order, joined by commas. */
  forwardedFor: string | undefined;
  /** How many proxies stand in front, each of which adds one entry at the right end. */
  trustedProxies: number;
}

/**
 * Whom to count a call against: an IPv4 address, or the /64 of an IPv6 one, which is what a single customer gets.
 * The entries of `X-Forwarded-For` to the left of the trusted proxies' are the caller's own words and never looked at.
 */
export function clientAddress({ remoteAddress, forwardedFor, trustedProxies }: Hops): string {
  const socket = network(remoteAddress ?? '') ?? 'unknown';
  if (trustedProxies === 0 || forwardedFor === undefined) return socket;
  const entry = forwardedFor.split(',').at(-trustedProxies);
  return network(withoutPort(entry?.trim() ?? '')) ?? socket;
}

/** Proxies write `1.2.3.4`, `1.2.3.4:5678`, `2001:db8::1`, `[2001:db8::1]` or `[2001:db8::1]:5678`. */
function withoutPort(entry: string): string {
  const [, inBrackets, ipv4] = /^(?:\[([^\]]+)\]|([\d.]+))(?::\d{1,5})?$/.exec(entry) ?? [];
  return inBrackets ?? ipv4 ?? entry;
}

function network(address: string): string | null {
  // The zone of `fe80::1%eth0` is a name of this machine's.
  const [bare = ''] = address.split('%');
  if (isIPv4(bare)) return bare;
  if (isIP(bare) !== 6) return null;
  const groups = groupsOf(bare);
  const [high = 0, low = 0] = groups.slice(6);
  const isMapped = groups.slice(0, 5).every((group) => group === 0) && groups[5] === 0xffff;
  if (isMapped) return [high >> 8, high & 0xff, low >> 8, low & 0xff].join('.');
  return `${groups
    .slice(0, 4)
    .map((group) => group.toString(16))
    .join(':')}::/64`;
}

/** The eight groups of an IPv6 address. URL gives each address one spelling, in which `::` alone is left to expand. */
function groupsOf(ipv6: string): number[] {
  const parsed = (half: string) => (half === '' ? [] : half.split(':').map((group) => Number.parseInt(group, 16)));
  const [head = '', tail] = new URL(`http://[${ipv6}]`).hostname.slice(1, -1).split('::');
  const [left, right] = [parsed(head), parsed(tail ?? '')];
  return [...left, ...Array.from({ length: 8 - left.length - right.length }, () => 0), ...right];
}
