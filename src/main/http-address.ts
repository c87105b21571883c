/** Addresses as people and programs open them. */
import { isIPv6 } from 'node:net';

/** A server that listens everywhere is reached by this host's own address. */
const OWN_ADDRESS: Readonly<Record<string, string>> = { '0.0.0.0': '127.0.0.1', '::': '::1' };

/** `http://host:port` of a server that listens on `host`. */
export function httpAddress(host: string, port: number): string {
  const reached = OWN_ADDRESS[host] ?? host;
  return `http://${isIPv6(reached) ? `[${reached}]` : reached}:${port}`;
}
