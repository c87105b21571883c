/**
 * Which addresses a delivery may connect to: public unicast, and what the operator allows. Everything is judged: a literal in the
 * URL (Node looks up no literals), every address that a name resolves to (so that the one judged is the one dialled, and a mixed
 * answer is refused), and the address of the connected socket.
 */
import { lookup as systemLookup, type LookupAddress, type LookupOptions } from 'node:dns';
import { isIP } from 'node:net';
import ipaddr from 'ipaddr.js';

export class AddressRefused extends Error {
  override readonly name = 'AddressRefused';
  constructor(
    readonly host: string,
    readonly address: string,
  ) {
    super(host === address ? `${address} is not a public address` : `${host} resolves to ${address}, which is not a public address`);
  }
}

export type Network = readonly [ipaddr.IPv4 | ipaddr.IPv6, number];

/** `10.0.0.0/8` or `fd00::/8`; a single address counts as its own network. null for what is neither. */
export function networkOf(text: string): Network | null {
  try {
    if (text.includes('/')) return ipaddr.parseCIDR(text);
    const address = ipaddr.parse(text);
    return [address, address.kind() === 'ipv4' ? 32 : 128];
  } catch {
    return null; // what it throws says no more than that
  }
}

/**
 * What is public of IPv6 (RFC 4291, IANA's registry of address space): ipaddr.js calls unicast whatever it knows no name for, such as
 * IPv4-compatible addresses (::/96), by which some stacks reach the IPv4 address.
 */
const GLOBAL_UNICAST = ipaddr.IPv6.parseCIDR('2000::/3');
/** Azure's platform (WireServer, its DNS, health probes): a public address in name that leads to the host of the machine. */
const PLATFORM_ADDRESSES = [ipaddr.IPv4.parseCIDR('168.63.129.16/32')];

/** RFC 6761: this machine, whatever a resolver says. */
const LOCAL_NAME = /^(.+\.)?localhost\.?$/i;
const LOOPBACKS = ['127.0.0.1', '::1'] as const;

/** All addresses of a name. */
export type ResolveAll = (host: string, callback: (error: NodeJS.ErrnoException | null, addresses: readonly LookupAddress[]) => void) => void;

const resolveBySystem: ResolveAll = (host, callback) => systemLookup(host, { all: true }, callback);

export class AddressGuard {
  constructor(
    private readonly allowed: readonly Network[] = [],
    private readonly resolveAll: ResolveAll = resolveBySystem,
  ) {}

  /** null: it may be connected to. */
  refusal(host: string, address: string): AddressRefused | null {
    return this.permits(address) ? null : new AddressRefused(host, address);
  }

  /** Of a URL's host: a literal that is refused, or localhost, which means one. Other names are judged by what they resolve to. */
  literalRefusal(hostname: string): AddressRefused | null {
    const host = hostname.replace(/^\[|\]$/g, '');
    if (LOCAL_NAME.test(host)) return LOOPBACKS.some((address) => this.permits(address)) ? null : this.refusal(host, LOOPBACKS[0]);
    return isIP(host) === 0 ? null : this.refusal(host, host);
  }

  /** In the form of dns.lookup, for sockets. */
  readonly lookup = (host: string, options: LookupOptions, callback: (error: NodeJS.ErrnoException | null, address: string | LookupAddress[], family?: number) => void): void => {
    this.resolveAll(host, (error, addresses) => {
      if (error !== null) return callback(error, []);
      const refused = addresses.map(({ address }) => this.refusal(host, address)).find((refusal) => refusal !== null);
      if (refused !== undefined) return callback(refused, []);
      const [first] = addresses;
      if (first === undefined) return callback(Object.assign(new Error(`${host} has no address`), { code: 'ENOTFOUND' }), []);
      if (options.all === true) callback(null, [...addresses]);
      else callback(null, first.address, first.family);
    });
  };

  private permits(text: string): boolean {
    if (!ipaddr.isValid(text)) return false;
    // process() turns IPv4-mapped IPv6 into the IPv4 address it means.
    const address = ipaddr.process(text);
    if (this.allowed.some((network) => contains(network, address))) return true;
    if (address.kind() === 'ipv6' && !contains(GLOBAL_UNICAST, address)) return false;
    if (PLATFORM_ADDRESSES.some((network) => contains(network, address))) return false;
    return address.range() === 'unicast';
  }
}

function contains([network, bits]: Network, address: ipaddr.IPv4 | ipaddr.IPv6): boolean {
  return network.kind() === address.kind() && address.match(network, bits);
}
