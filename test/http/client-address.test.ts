import { describe, expect, test } from 'vitest';
import { clientAddress } from '../../src/http/client-address.ts';

const of = (remoteAddress: string | undefined, forwardedFor?: string, trustedProxies = 0) =>
  clientAddress({ remoteAddress, forwardedFor, trustedProxies });

describe('the address that a call is counted against', () => {
  test('the address is that of the socket, an IPv6 one by its /64', () => {
    expect(of('203.0.113.7')).toBe('203.0.113.7');
    expect(of('2001:db8:1:2:3:4:5:6')).toBe('2001:db8:1:2::/64');
    expect(of('2001:DB8:1:2::9')).toBe('2001:db8:1:2::/64');
    expect(of('2001:db8:1:2:ffff:ffff:ffff:ffff')).toBe('2001:db8:1:2::/64');
    expect(of('2001:db8:1:3::1')).toBe('2001:db8:1:3::/64');
    expect(of('2001:db8::1')).toBe('2001:db8:0:0::/64');
    expect(of('::1')).toBe('0:0:0:0::/64');
    expect(of('::')).toBe('0:0:0:0::/64');
    expect(of('fe80::1%eth0')).toBe('fe80:0:0:0::/64');
    expect(of(undefined)).toBe('unknown');
  });

  test('the address is the same for an IPv4 address, however IPv6 spells it', () => {
    for (const spelling of [
      '::ffff:203.0.113.7',
      '::FFFF:203.0.113.7',
      '::ffff:cb00:7107',
      '0:0:0:0:0:ffff:203.0.113.7',
    ])
      expect(of(spelling)).toBe('203.0.113.7');
  });

  test('the address comes from X-Forwarded-For only as far as proxies are trusted, counted from the right', () => {
    const forwardedFor = '6.6.6.6, 198.51.100.1, 198.51.100.2';
    expect(of('10.0.0.1', forwardedFor)).toBe('10.0.0.1');
    expect(of('10.0.0.1', forwardedFor, 1)).toBe('198.51.100.2');
    expect(of('10.0.0.1', forwardedFor, 2)).toBe('198.51.100.1');
    expect(of('10.0.0.1', forwardedFor, 3)).toBe('6.6.6.6');
  });

  test('the address is that of the socket where the entry is missing or malformed', () => {
    expect(of('10.0.0.1', undefined, 1)).toBe('10.0.0.1');
    expect(of('10.0.0.1', '198.51.100.2', 2)).toBe('10.0.0.1');
    for (const odd of [
      '',
      ' ',
      ',',
      'unknown',
      '_hidden',
      '999.1.1.1',
      '1.2.3',
      '198.51.100.2:port',
      '198.51.100.2:80:80',
      '[2001:db8::1',
      '2001:db8::1]',
      '[]',
      '[198.51.100.2]x',
      '2001:db8:::1',
      '1.2.3.4 5.6.7.8',
      "'; drop table",
      '%',
      'x'.repeat(10_000),
    ]) {
      expect([odd, of('10.0.0.1', odd, 1)]).toEqual([odd, '10.0.0.1']);
    }
  });

  test('the address may carry a port, brackets, a zone or spaces in the header', () => {
    for (const spelling of ['198.51.100.2', ' 198.51.100.2 ', '198.51.100.2:1234', '[::ffff:198.51.100.2]:1234'])
      expect(of('10.0.0.1', spelling, 1)).toBe('198.51.100.2');
    for (const spelling of [
      '2001:db8:1:2::3',
      '[2001:db8:1:2::3]',
      '[2001:db8:1:2::3]:443',
      '[2001:db8:1:2::3%25eth0]',
    ])
      expect(of('10.0.0.1', spelling, 1)).toBe('2001:db8:1:2::/64');
  });
});
