/** From where a source takes alerts. */
import { BlockList, isIP } from 'node:net';
import { TRADINGVIEW, TRADINGVIEW_ADDRESSES } from '../domain/signal';

/** null: it is an address, a network or a name that is known; else what is wrong with it. */
export function addressProblem(text: string): string | null {
  if (text === TRADINGVIEW) return null;
  const [address = '', bits] = text.split('/');
  const family = isIP(address);
  if (family === 0) return `${text} is not an IP address`;
  return bits === undefined || Number(bits) <= (family === 4 ? 32 : 128) ? null : `${text} is not a network`;
}

/** An IPv4 address counts as itself however it is written. */
export function isAllowed(allowed: readonly string[] | null, address: string): boolean {
  if (allowed === null) return true;
  const bare = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address)?.[1] ?? address.split('%', 1)[0] ?? '';
  const family = isIP(bare);
  if (family === 0) return false;
  const list = new BlockList();
  for (const text of allowed.flatMap((each) => (each === TRADINGVIEW ? TRADINGVIEW_ADDRESSES : [each]))) {
    const [network = '', bits] = text.split('/');
    const kind = isIP(network) === 4 ? 'ipv4' : 'ipv6';
    if (bits === undefined) list.addAddress(network, kind);
    else list.addSubnet(network, Number(bits), kind);
  }
  return list.check(bare, family === 4 ? 'ipv4' : 'ipv6');
}
