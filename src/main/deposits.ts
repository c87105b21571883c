/** Wires deposits: chains, LI.FI, the signer, and what the API and the workers need of them. null parts where they are not configured. */
import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { createChainWatchActivities, createDepositActivities, type ChainWatchActivities, type DepositActivities } from '../activities/deposit-activities';
import { DepositArrivals } from '../activities/deposit-arrivals';
import { DepositPath } from '../activities/deposit-path';
import type { DepositsPort } from '../api/deposit-port';
import { EvmChain, lower } from '../chains/evm-chain';
import { LifiBridge } from '../chains/lifi-bridge';
import { SettingError, type Settings } from '../config/settings';
import { isoTime } from '../domain/clock';
import { decimalText, isPlainDecimal } from '../domain/decimal';
import { NATIVE_TOKEN, type ChainToken, type Deposit, type Hex } from '../domain/deposit';
import { DomainError } from '../domain/errors';
import type { DepositRequest } from '../schemas/deposits';
import type { WalletSigner } from '../domain/wallet-signer';
import { DepositGateway } from '../temporal/deposit-gateway';
import type { DepositReply, DepositWaits } from '../workflows/messages';
import { canonicalJson } from '../api/canonical-json';
import { accountFunding, destinationOf } from './account-funding';
import { nameUuid } from './name-uuid';
import type { Platform } from './platform';
import { walletSigner } from './wallet-signer';

const ADDRESS = /^0x[0-9a-fA-F]{40}$/;
/** The name of a chain's own coin, on every chain that is served. */
const COIN_SYMBOL = 'ETH';

export interface DepositParts {
  readonly chains: ReadonlyMap<number, EvmChain>;
  readonly bridge: LifiBridge;
  readonly signer: WalletSigner;
  readonly destination: EvmChain;
  readonly tokenAddress: Hex;
}

/** null: deposits are not configured. Throws SettingError where they are half configured. */
export function depositParts(platform: Platform): DepositParts | null {
  const { settings } = platform;
  const signer = settings.chains.length === 0 ? null : walletSigner(platform);
  if (signer === null) return null;
  const chains = new Map(settings.chains.map((chain) => [chain.id, new EvmChain(chain)]));
  const destination = chains.get(settings.depositDestination);
  if (destination === undefined) throw new SettingError(`SUREFILL_DEPOSIT_DESTINATION must be the id of a chain of SUREFILL_DEPOSIT_CHAINS, got ${settings.depositDestination}`);
  if (!ADDRESS.test(settings.depositToken)) throw new SettingError('SUREFILL_DEPOSIT_TOKEN must be an address');
  for (const [env, value] of [['SUREFILL_DEPOSIT_MINIMUM', settings.depositMinimum], ['SUREFILL_DEPOSIT_MAXIMUM', settings.depositMaximum]] as const) if (!isPlainDecimal(value)) throw new SettingError(`${env} must be a decimal, got "${value}"`);
  const bridge = new LifiBridge({ url: settings.lifiUrl, apiKey: settings.lifiApiKey, integrator: 'surefill' });
  return { chains, bridge, signer, destination, tokenAddress: lower(settings.depositToken) };
}

/** Of a worker. */
export function depositActivities(platform: Platform, parts: DepositParts): DepositActivities {
  const { settings, store, clock } = platform;
  const allowed = settings.depositTargets.split(',').map((target) => target.trim());
  if (!allowed.every((target) => ADDRESS.test(target))) throw new SettingError('SUREFILL_DEPOSIT_TARGETS must be a comma list of addresses');
  const path = new DepositPath({ clock, deposits: store.deposits, chains: parts.chains, bridge: parts.bridge, allowed: new Set(allowed.map(lower)), minimum: settings.depositMinimum, maximum: settings.depositMaximum });
  return createDepositActivities(path, lazyArrivals(platform, parts), accountFunding(platform));
}

/** Of a watcher. */
export function chainWatchActivities(platform: Platform, parts: DepositParts, leaving: AbortSignal): ChainWatchActivities {
  const onTrouble = (error: unknown): void => platform.logger.warn({ err: error, chainId: parts.destination.id }, 'the chain where deposits arrive could not be read');
  const sleep = (ms: number, signal: AbortSignal): Promise<void> => delay(ms, undefined, { signal }).catch(() => undefined);
  const noted = (chainId: number, words: string | null): Promise<void> => platform.store.chainStalls.note(chainId, parts.chains.get(chainId)?.name ?? String(chainId), words);
  return createChainWatchActivities({ arrivals: lazyArrivals(platform, parts), noted, scanMs: platform.settings.depositPollMs, leaving, sleep, onTrouble });
}

/** The token's decimals are the chain's to tell, which may be away when a process starts. */
function lazyArrivals({ settings, store, clock, logger }: Platform, parts: DepositParts): Pick<DepositArrivals, 'look' | 'scan'> {
  const made = async (): Promise<DepositArrivals> =>
    new DepositArrivals({ clock, deposits: store.deposits, transfers: store.chainTransfers, chains: parts.chains, bridge: parts.bridge, taken: await parts.destination.token(parts.tokenAddress), claimWithinMs: settings.depositClaimWithinMs, onTrouble: (what, error) => logger.warn({ err: error }, what) });
  return { look: async (id) => (await made()).look(id), scan: async (chainId) => (await made()).scan(chainId) };
}

export function depositWaits(settings: Settings): DepositWaits {
  return { pollMs: settings.depositPollMs, maxPollMs: settings.depositMaxPollMs, expireAfterMs: settings.depositExpireAfterMs, dropAfterMs: settings.depositDropAfterMs, graceMs: settings.depositGraceMs, watchAfterMs: settings.depositWatchAfterMs };
}

/** Of the API. What is recorded is read where deposits are not configured too. */
export function depositsPort(platform: Platform): DepositsPort {
  const { store, settings, temporal, clock } = platform;
  const parts = depositParts(platform);
  const gateway = new DepositGateway(temporal.client, depositWaits(settings));
  const configured = (): DepositParts => {
    if (parts === null) throw new DomainError('UNPROCESSABLE', 'deposits are not configured: set SUREFILL_DEPOSIT_CHAINS and SUREFILL_SIGNER');
    return parts;
  };
  const told = async (deposit: Deposit, wish: Promise<DepositReply>): Promise<Deposit> => {
    const { refused } = await wish;
    if (refused !== null) throw new DomainError(refused.code, refused.message, { details: { ...refused.details, depositId: deposit.id } });
    return (await store.deposits.byId(deposit.id)) ?? deposit;
  };
  const address = async (userId: string): Promise<{ readonly address: Hex; readonly token: ChainToken }> => {
    const { signer, destination, tokenAddress } = configured();
    const made = await signer.addressOf(userId);
    await store.deposits.keepAddress(userId, made);
    return { address: made, token: await destination.token(tokenAddress) };
  };
  return {
    get: (id, userId) => store.deposits.get(id, userId),
    list: (query) => store.deposits.list(query),
    steps: (id, userId) => store.deposits.steps(id, userId),
    address,
    begin: async (userId, request, idempotencyKey, plan = () => Promise.resolve(null)) => {
      const { chains, bridge } = configured();
      const from = await tokenOf(chains, bridge, settings, request);
      const fine = decimalText(request.amount).split('.')[1]?.length ?? 0;
      if (fine > from.decimals) throw new DomainError('VALIDATION', `${from.symbol} has ${from.decimals} decimals`, { details: { field: 'amount', decimals: from.decimals } });
      const { address: toAddress, token: to } = await address(userId);
      const id = idempotencyKey === null ? randomUUID() : nameUuid(`${userId}\n${idempotencyKey}`);
      const known = await store.deposits.byId(id);
      if (known !== null) assertSame(known, request, from);
      const destination = known === null ? await destinationOf(platform, request.destination, { id, userId, to, toAddress }, plan) : null;
      const at = isoTime(clock.nowMs());
      const asked: Deposit = { id, userId, kind: 'bridge', state: 'CREATED', reason: null, from, amount: decimalText(request.amount), fromAddress: request.fromAddress, to, toAddress, quote: null, source: null, bridge: null, received: [], refunds: [], sourceOutcome: null, writtenOff: false, destination, revision: 1, createdAt: at, updatedAt: at };
      const deposit = await told(asked, gateway.begin(known ?? asked));
      // Of two requests with one key the other may have been first since: its deposit gets no transaction of this one.
      assertSame(deposit, request, from);
      return request.transactionHash === undefined ? deposit : told(deposit, gateway.submit(deposit, request.transactionHash));
    },
    submit: (deposit, hash) => told(deposit, only(configured, () => gateway.submit(deposit, hash))),
    suspense: (query) => store.suspense.list(query),
    settleSuspense: async (decision, deposit) => {
      if (deposit !== null) return store.suspense.assign(decision, deposit);
      const held = await store.suspense.get(decision.id, decision.userId);
      if (held === null) throw new DomainError('NOT_FOUND', 'no such transfer is held in suspense');
      const chain = configured().chains.get(held.chainId);
      if (chain === undefined) throw new DomainError('UNPROCESSABLE', `chain ${held.chainId} is not configured: name it in SUREFILL_DEPOSIT_CHAINS`);
      return store.suspense.release(decision, await chain.token(held.token));
    },
    requote: (deposit) => told(deposit, only(configured, () => gateway.requote(deposit))),
    cancel: (deposit) => told(deposit, only(configured, () => gateway.cancel(deposit))),
    decide: (deposit, decision, note, actor) => told(deposit, only(configured, () => gateway.decide(deposit, decision, note, actor))),
  };
}

/** Without the parts no worker takes the workflow's tasks: its caller would wait for nothing. */
async function only(configured: () => DepositParts, wish: () => Promise<DepositReply>): Promise<DepositReply> {
  configured();
  return wish();
}

async function tokenOf(chains: ReadonlyMap<number, EvmChain>, bridge: LifiBridge, settings: Settings, { chain, token }: DepositRequest): Promise<ChainToken> {
  const named = [...chains.values()].find((each) => each.name === chain || String(each.id) === String(chain));
  if (named === undefined) throw new DomainError('VALIDATION', `no chain ${chain}: these are served: ${settings.chains.map(({ name, id }) => `${name} (${id})`).join(', ')}`, { details: { field: 'chain' } });
  const isAddress = ADDRESS.test(token);
  const address = isAddress ? lower(token) : token.toUpperCase() === COIN_SYMBOL ? NATIVE_TOKEN : await bridge.addressOf(named.id, token);
  if (address === null) throw new DomainError('VALIDATION', `no token ${token} on ${named.name}; give its address`, { details: { field: 'token' } });
  const found = await named.token(address);
  return found;
}

function assertSame(known: Deposit, { amount, fromAddress, destination }: DepositRequest, from: ChainToken): void {
  const wanted = destination?.thenOrder === undefined ? undefined : canonicalJson(destination.thenOrder);
  const before = known.destination?.order === undefined ? undefined : canonicalJson(known.destination.order.asked);
  const isSame = known.from.chainId === from.chainId && known.from.address === from.address && known.amount === decimalText(amount) && known.fromAddress === fromAddress && known.destination?.accountId === destination?.accountId && wanted === before;
  if (!isSame) throw new DomainError('IDEMPOTENCY_MISMATCH', 'this Idempotency-Key was used for another deposit', { details: { depositId: known.id } });
}
