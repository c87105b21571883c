/**
 * Addresses, their agent wallets, the nonces each signer used, and what each address may still ask for. A user is an
 * account of the core by its lower-case address; each HIP-3 dex and the spot wallet have an account of their own.
 */
import type { Decimal } from '../../domain/decimal';
import type { Account } from '../account';
import { PaperError } from '../errors';
import type { OrderRequest } from '../order';
import { type PaperVenue, hashKey } from '../paper-venue';

/** A signer's nonces the venue remembers: a new one must be above the lowest of them. */
export const NONCES_KEPT = 100;
/** A nonce is a time, and must be this near the venue's own. */
const NONCE_PAST_MS = 2 * 24 * 60 * 60 * 1000;
const NONCE_FUTURE_MS = 24 * 60 * 60 * 1000;
/** Requests an address may make before it has traded anything; one more for each USDC traded. */
const FREE_REQUESTS = 10_000;
/** Orders that may be open, and what is traded for one more. Source: the venue's documentation, "Rate limits". */
const OPEN_ORDERS = 1_000;
const VOLUME_PER_OPEN_ORDER = 5_000_000;
const MAX_OPEN_ORDERS = 5_000;
/** Cancels go on for so long after that. */
const EXTRA_CANCELS = 100_000;
/** Then one request each so often. */
const EXHAUSTED_EVERY_MS = 10_000;
const MINUTE_MS = 60_000;
const DAY_MS = 24 * 60 * 60 * 1000;
const SWITCHES_A_DAY = 10;
const MAX_NAME = 16;
const ADDRESS_DIGITS = 40;

const ADDRESS = /^0x[0-9a-f]{40}$/;

/** A line of a user's ledger that is no funding. */
export interface LedgerLine {
  readonly time: number;
  readonly delta: Readonly<Record<string, unknown>>;
}

/** USDC that left an account over the bridge, and is to be paid on its chain. */
export interface BridgeExit {
  readonly user: string;
  readonly destination: string;
  /** Without the venue's fee. */
  readonly amount: string;
  readonly nonce: number;
}

interface Usage {
  requests: number;
  volume: number;
  lastAt: number;
}

export class HyperliquidUsers {
  private readonly nonces = new Map<string, number[]>();
  private readonly usage = new Map<string, Usage>();
  private readonly weights = new Map<string, { tokens: number; at: number }>();
  /** Who leads a sub-account. */
  readonly vaultLeaders = new Map<string, string>();
  /** What moved of each user's money, oldest first. */
  private readonly ledgers = new Map<string, LedgerLine[]>();
  /** What left over the bridge, oldest first. */
  readonly exits: BridgeExit[] = [];
  /** When each user's dead-man switch went off, newest last. */
  private readonly switches = new Map<string, number[]>();

  constructor(
    private readonly venue: PaperVenue,
    private readonly limits: { readonly weightPerMinute: number; readonly switchVolume: number },
    private readonly recover: (body: unknown) => string | null,
  ) {
    for (const note of venue.wireNotes) this.recall(note);
    venue.wireSnapshot = () => [...[...this.nonces].map(([signer, used]) => ({ signer, nonces: used })), ...[...this.vaultLeaders].map(([subAccount, leader]) => ({ subAccount, leader })), ...[...this.ledgers].map(([holder, lines]) => ({ holder, lines })), ...this.exits.map((exit) => ({ exit }))];
  }

  /** Who a signer acts for: itself if it has an account, else the user that approved it as agent; null for nobody. */
  userOf(signer: string): string | null {
    if (this.venue.revokedKeys.has(signer)) return null;
    if (this.venue.exchange.state.accounts.has(signer)) return signer;
    return this.venue.keys.get(hashKey(signer)) ?? null;
  }

  /** Whose request it says it is, for the log alone: the signature is judged when it is carried out. */
  signerHint(body: unknown): string | null {
    const signer = this.recover(body);
    return signer === null ? null : this.userOf(signer);
  }

  approveAgent(user: string, agent: string): void {
    const state = this.venue.exchange.state;
    this.venue.addKey(agent, user, state.account(user).balance('USDC'));
  }

  /** The new sub-account's address, the same for the same name. */
  createSubAccount(user: string, name: unknown): string {
    if (typeof name !== 'string' || name === '' || name.length > MAX_NAME) throw new PaperError('BAD_REQUEST', 'Invalid sub-account name');
    const address = `0x${hashKey(`${user} ${name}`).slice(0, ADDRESS_DIGITS)}`;
    this.vaultLeaders.set(address, user);
    this.venue.exchange.state.openAccount(address);
    this.venue.note({ subAccount: address, leader: user });
    return address;
  }

  noteSwitch(account: string, now: number): void {
    const { user } = ownerOf(account);
    const fired = this.switches.get(user) ?? [];
    // One switch ends many orders at one instant.
    if (fired.at(-1) !== now) this.switches.set(user, [...fired, now].slice(-SWITCHES_A_DAY));
  }

  /** Throws BAD_REQUEST where the user has not traded what a switch needs. */
  checkSwitchVolume(user: string): void {
    const { volume } = this.usageOf(user);
    if (volume < this.limits.switchVolume) throw new PaperError('BAD_REQUEST', `Cannot set scheduled cancel time until enough volume traded. Required: $${this.limits.switchVolume}. Traded: $${volume.toFixed(2)}.`);
  }

  /** A switch may go off ten times a day (UTC). */
  mayArmSwitch(user: string, now: number): boolean {
    const today = Math.floor(now / DAY_MS);
    return (this.switches.get(user) ?? []).filter((at) => Math.floor(at / DAY_MS) === today).length < SWITCHES_A_DAY;
  }

  noteLedger(holder: string, line: LedgerLine): void {
    this.venue.note({ holder, lines: [line] });
    this.addLines(holder, [line]);
  }

  noteExit(exit: BridgeExit): void {
    this.venue.note({ exit });
    this.exits.push(exit);
  }

  ledgerOf(user: string): readonly LedgerLine[] {
    return this.ledgers.get(user) ?? [];
  }

  exists(user: string): boolean {
    return this.venue.exchange.state.accounts.has(user);
  }

  /** The user's account in a dex; made empty on first sight of a known user, null for an unknown one. */
  account(user: string, dex: string): Account | null {
    const { state } = this.venue.exchange;
    if (!state.accounts.has(user)) return null;
    return state.openAccount(accountName(user, dex));
  }

  /** Every account of a user, the main one first. */
  accountsOf(user: string): Account[] {
    const { accounts } = this.venue.exchange.state;
    return [...accounts.values()].filter(({ name }) => name === user || name.startsWith(`${user}@`));
  }

  /** Uses a nonce up. Throws BAD_REQUEST with the venue's words for one it would not take. */
  takeNonce(signer: string, nonce: number, now: number): void {
    const used = this.nonces.get(signer) ?? [];
    if (used.includes(nonce)) throw new PaperError('BAD_REQUEST', `Invalid nonce: duplicate nonce ${nonce}`);
    const lowest = used.length >= NONCES_KEPT ? (used[0] ?? 0) : 0;
    const [oldest, newest] = [Math.max(lowest, now - NONCE_PAST_MS), now + NONCE_FUTURE_MS];
    if (nonce <= oldest) throw new PaperError('BAD_REQUEST', `Invalid nonce: nonce too low ${nonce} < ${oldest}`);
    if (nonce >= newest) throw new PaperError('BAD_REQUEST', `Invalid nonce: nonce too high ${nonce} > ${newest}`);
    this.venue.note({ signer, nonces: [nonce] });
    this.remember(signer, nonce);
  }

  /** Beyond 1,000 open orders, and one more for each 5 million traded, no exit and no trigger is taken; beyond 5,000 nothing. */
  hasTooManyOrders(user: string, { reduceOnly, triggerPrice }: Pick<OrderRequest, 'reduceOnly' | 'triggerPrice'>): boolean {
    const open = this.accountsOf(user).reduce((count, account) => count + account.open.size, 0);
    const limit = Math.min(OPEN_ORDERS + Math.floor(this.usageOf(user).volume / VOLUME_PER_OPEN_ORDER), MAX_OPEN_ORDERS);
    return open >= (reduceOnly || triggerPrice !== undefined ? limit : MAX_OPEN_ORDERS);
  }

  /** Counts requests against what the address has traded. Throws BAD_REQUEST with the venue's words when none are left. */
  countRequests(user: string, count: number, isCancel: boolean, now: number): void {
    const usage = this.usageOf(user);
    const limit = FREE_REQUESTS + usage.volume;
    const allowed = isCancel ? Math.min(limit + EXTRA_CANCELS, limit * 2) : limit;
    if (usage.requests + count > allowed && now - usage.lastAt < EXHAUSTED_EVERY_MS) {
      throw new PaperError('BAD_REQUEST', `Too many cumulative requests sent (${usage.requests + count} > ${limit}) for cumulative volume traded $${usage.volume.toFixed(2)}. Place taker orders to free up 1 request per USDC traded.`);
    }
    usage.requests += count;
    usage.lastAt = now;
  }

  addVolume(user: string, notional: Decimal): void {
    this.usageOf(user).volume += notional.toNumber();
  }

  rateLimit(user: string): Record<string, unknown> {
    const { requests, volume } = this.usageOf(user);
    return { cumVlm: volume.toFixed(2), nRequestsUsed: requests, nRequestsCap: FREE_REQUESTS + Math.floor(volume), nRequestsSurplus: 0 };
  }

  /** Takes request weight of an address of the network; false when there is none left this minute. */
  takeWeight(address: string, weight: number, now: number): boolean {
    const { weightPerMinute } = this.limits;
    const bucket = this.weights.get(address) ?? { tokens: weightPerMinute, at: now };
    bucket.tokens = Math.min(weightPerMinute, bucket.tokens + (Math.max(0, now - bucket.at) * weightPerMinute) / MINUTE_MS);
    bucket.at = now;
    this.weights.set(address, bucket);
    if (bucket.tokens < weight) return false;
    bucket.tokens -= weight;
    return true;
  }

  private usageOf(user: string): Usage {
    const known = this.usage.get(user);
    if (known !== undefined) return known;
    const usage = { requests: 0, volume: 0, lastAt: -Infinity };
    this.usage.set(user, usage);
    return usage;
  }

  private remember(signer: string, nonce: number): void {
    const used = [...(this.nonces.get(signer) ?? []), nonce].sort((a, b) => a - b);
    this.nonces.set(signer, used.slice(-NONCES_KEPT));
  }

  private addLines(holder: string, lines: readonly LedgerLine[]): void {
    this.ledgers.set(holder, [...(this.ledgers.get(holder) ?? []), ...lines]);
  }

  private recall(note: unknown): void {
    const { signer, nonces, subAccount, leader, holder, lines, exit } = note as Readonly<Record<string, unknown>>;
    if (typeof holder === 'string' && Array.isArray(lines)) this.addLines(holder, lines as LedgerLine[]);
    if (exit !== undefined) this.exits.push(exit as BridgeExit);
    if (typeof subAccount === 'string' && typeof leader === 'string') this.vaultLeaders.set(subAccount, leader);
    if (typeof signer !== 'string' || !Array.isArray(nonces)) return;
    for (const nonce of nonces) if (typeof nonce === 'number' && !(this.nonces.get(signer) ?? []).includes(nonce)) this.remember(signer, nonce);
  }
}

/** The core's name of a user's account in a dex, or in the spot wallet (`spot`). */
export function accountName(user: string, dex: string): string {
  return dex === '' ? user : `${user}@${dex}`;
}

/** The user an account of the core belongs to, and its dex. */
export function ownerOf(name: string): { user: string; dex: string } {
  const [user = name, dex = ''] = name.split('@');
  return { user, dex };
}

/** A lower-case address. Throws BAD_REQUEST on anything else. */
export function readAddress(value: unknown): string {
  const address = typeof value === 'string' ? value.toLowerCase() : '';
  if (!ADDRESS.test(address)) throw new PaperError('BAD_REQUEST', 'Failed to deserialize the JSON body into the target type');
  return address;
}
