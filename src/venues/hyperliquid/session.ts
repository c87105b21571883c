/** One account at Hyperliquid: an agent wallet signs, the account (or its vault) trades. Reads are by address and need no key. */
import type * as port from '../../domain/venue';
import { VenueOutcomeUnknown, VenueRateLimited, VenueRefused } from '../../domain/venue-errors';
import { addressOf } from '../ecdsa';
import { refusal } from '../http';
import { actionBody, amendBytes, cancelBytes, MIN_EXPIRY_MS, placeBytes, readBytes, voidBody, type ActionSigner, type HyperliquidBytes, type MarketView } from './actions';
import { HyperliquidBridge } from './bridge';
import type { AddressBudget } from './address-budget';
import { acknowledgement, refused, refusedHere, statusesOf } from './answers';
import type { HyperliquidClient } from './client';
import { HyperliquidMoves } from './collateral';
import { HyperliquidHistory } from './history';
import { isTraded, openOrders, toBalances, toCloid, toOrder, toPositions, UnknownWord, type Asset } from './normalize';
import { refusalCode } from './refusals';
import * as wire from './schemas';
import type { AccountStreams } from './streams';

export interface SessionParts {
  readonly client: HyperliquidClient;
  readonly view: MarketView;
  readonly options: wire.HyperliquidOptions;
  readonly tellDrift: (what: string) => boolean;
  /** Loads metadata if it is not there yet. */
  readonly loaded: (options: port.ReadOptions) => Promise<void>;
  readonly venueTimeMs: (options: port.ReadOptions) => Promise<number>;
  /** A nonce no request of this process used, for settings; orders get theirs from the store. */
  readonly nextNonce: (signer: string) => string;
  readonly collateralOf: (dex: string) => string;
  /** `USDC:0x…`, as transfers name a token. Throws VenueRefused for one the venue does not have. */
  readonly tokenOf: (asset: string, options: port.ReadOptions) => Promise<string>;
  readonly budgetOf: (user: string) => AddressBudget;
  readonly streams: AccountStreams;
}

export class HyperliquidSession implements port.VenueAccountSession {
  private readonly signer: ActionSigner;
  private readonly agent: string;
  /** Whose orders these are: the account's, or its vault's. */
  private readonly user: string;
  private readonly owner: string;
  private readonly history: HyperliquidHistory;
  readonly moves: port.VenueMoves;
  readonly bridge?: port.VenueAccountSession['bridge'];

  constructor(
    private readonly venue: string,
    credentials: import('zod').output<typeof wire.credentialsSchema>,
    private readonly parts: SessionParts,
  ) {
    const privateKey = Buffer.from(credentials.agentKey.replace(/^0x/, ''), 'hex');
    this.agent = addressOf(privateKey);
    this.owner = credentials.address;
    this.user = credentials.vaultAddress ?? credentials.address;
    this.signer = { venue, privateKey, network: parts.options.network, vaultAddress: credentials.vaultAddress ?? null };
    this.history = new HyperliquidHistory(venue, this.user, parts);
    const { user, history } = this;
    const ledgerSince = (startTime: number, options: port.ReadOptions) => parts.client.info({ type: 'userNonFundingLedgerUpdates', user, startTime }, wire.ledgerSchema, options);
    // The bridge knows no vault: neither way leads to one.
    if (credentials.vaultAddress == null) this.bridge = new HyperliquidBridge({ venue, network: parts.options.network, owner: credentials.address, ledgerSince });
    this.moves = new HyperliquidMoves({
      signer: this.signer, agent: this.agent, owner: this.owner,
      asset: (venueSymbol, options) => this.asset(venueSymbol, options),
      tokenOf: parts.tokenOf,
      venueTimeMs: parts.venueTimeMs,
      state: (dex, options) => parts.client.info({ type: 'clearinghouseState', user, ...(dex === '' ? {} : { dex }) }, wire.clearinghouseSchema, options),
      ledgerSince,
      fundingPayments: (sinceMs, cursor, options) => history.fundingPayments(sinceMs, cursor, options),
    });
  }

  preparePlace(orders: readonly port.PlaceRequest[], context: port.PrepareContext): port.SignedRequest {
    return placeBytes(this.signer, this.parts.view, orders, context);
  }

  prepareAmend(amendment: port.AmendRequest, context: port.PrepareContext): port.SignedRequest {
    return amendBytes(this.signer, this.parts.view, amendment, context);
  }

  prepareCancel(orders: readonly port.OrderReference[], context: port.PrepareContext): port.SignedRequest {
    return cancelBytes(this.signer, this.parts.view, orders, context);
  }

  async send(request: port.SignedRequest, options: port.SendOptions): Promise<port.SendAnswer> {
    const bytes = readBytes(this.venue, request);
    if (bytes.body === null) return { items: bytes.orders.map((_, index) => refusedHere(bytes, index)), raw: 'every order was refused before it was sent', venueTimeMs: null, latencyMs: 0 };
    const count = request.kind === 'cancel' ? bytes.cancels.length : request.kind === 'move' ? 1 : bytes.orders.length;
    const sent = count - Object.keys(bytes.refused).length;
    const { answer, raw, latencyMs } = await this.exchange(bytes.body, sent, options);
    const common = { raw, venueTimeMs: null, latencyMs };
    if (answer.status === 'err') {
      const code = refusalCode(answer.response);
      // A used nonce is an answer about an earlier send of these bytes, for each of its orders: to be asked for.
      if (code !== 'duplicateClientId') throw refusal(this.venue, code, 'ERR', answer.response, raw);
      return { items: Array.from({ length: count }, () => refused(answer.response)), ...common };
    }
    if (request.kind === 'move') return { items: [{ kind: 'accepted', venueOrderId: null, transactionHash: null }], ...common };
    const statuses = statusesOf(this.venue, answer.response.data?.statuses ?? [], sent, raw);
    if (request.kind === 'cancel') return { items: await this.canceled(bytes, statuses, options), ...common };
    let next = 0;
    const take = (): wire.ItemStatus => statuses[next++] ?? { error: 'no answer' };
    return { items: bytes.orders.map((order, index) => (bytes.refused[index] === undefined ? acknowledgement(order, take(), bytes) : refusedHere(bytes, index))), ...common };
  }

  async voidNonce(request: port.SignedRequest, options: port.ReadOptions): Promise<boolean> {
    const body = voidBody(this.signer, request);
    if (body === null) return false;
    try {
      await this.parts.client.control(body, options);
      return true;
    } catch (error) {
      // Refused as used, or for another reason: either way nothing is proven.
      if (error instanceof VenueRefused) return false;
      throw error;
    }
  }

  /** Orders without a client id of ours are found by the venue's own, once it is known. Throws VenueOutcomeUnknown on a state nobody knows. */
  async findOrder(order: port.OrderReference, options: port.ReadOptions): Promise<port.VenueOrder | null> {
    const cloid = this.parts.view.carriesCloid(order.venueSymbol) ? toCloid(order.venueClientId) : null;
    const oid = cloid ?? (order.venueOrderId === null ? null : Number(order.venueOrderId));
    if (oid === null) return null;
    const answer = await this.parts.client.info({ type: 'orderStatus', user: this.user, oid }, wire.orderStatusSchema, options);
    if (answer.status === 'unknownOid') return null;
    try {
      return toOrder(answer.order);
    } catch (error) {
      if (!(error instanceof UnknownWord)) throw error;
      this.parts.tellDrift(`orderStatus: ${error.message}`);
      throw new VenueOutcomeUnknown(this.venue, `${this.venue}: ${error.message}`, 'unreadable');
    }
  }

  async openOrders(options: port.ReadOptions): Promise<readonly port.VenueOrder[]> {
    const lists = await Promise.all(this.dexes().map((dex) => this.parts.client.info({ type: 'frontendOpenOrders', user: this.user, ...dex }, wire.ordersSchema, options)));
    return openOrders(lists.flat().filter(({ coin }) => isTraded(coin, this.parts.options.dexes)));
  }

  closedOrders(sinceMs: number, options: port.ReadOptions): Promise<readonly port.VenueOrder[]> {
    return this.history.closedOrders(sinceMs, options);
  }

  fillsSince(sinceMs: number, cursor: string | null, options: port.ReadOptions): Promise<port.FillsPage> {
    return this.history.fillsSince(sinceMs, cursor, options);
  }

  fundingPayments(sinceMs: number, cursor: string | null, options: port.ReadOptions): Promise<port.FundingPaymentsPage> {
    return this.history.fundingPayments(sinceMs, cursor, options);
  }

  async positions(options: port.ReadOptions): Promise<readonly port.VenuePosition[]> {
    return (await this.states(options)).flatMap(({ state }) => toPositions(state));
  }

  /** Reads need no key, so the agent's standing is asked for too: a revoked one is an error here, as at other venues. */
  async balances(options: port.ReadOptions): Promise<readonly port.VenueBalance[]> {
    await this.parts.loaded(options);
    const [states] = await Promise.all([this.states(options), this.checkAgent(options)]);
    return toBalances(states);
  }

  /** Of an account that is to be added: only then is its own key refused, for what is there must stay able to exit. */
  async checkCredentials(options: port.ReadOptions): Promise<void> {
    if (this.agent === this.owner) throw new VenueRefused(this.venue, 'unauthorized', 'OWN_KEY', `this is the key of ${this.owner} itself, which can withdraw; approve an agent wallet at the venue and give its key`);
    await this.checkAgent(options);
    await this.control({ type: 'noop' }, options);
  }

  async setLeverage(venueSymbol: string, leverage: string, options: port.ReadOptions, marginMode?: 'cross' | 'isolated'): Promise<void> {
    if (!/^[1-9]\d{0,2}$/.test(leverage)) throw new RangeError(`leverage must be a whole number from 1, got ${leverage}`);
    const { id, onlyIsolated } = await this.asset(venueSymbol, options);
    // Where there is no cross margin, nobody who named none means it.
    const isCross = (marginMode ?? (onlyIsolated ? 'isolated' : 'cross')) === 'cross';
    await this.control({ type: 'updateLeverage', asset: id, isCross, leverage: Number(leverage) }, options);
  }

  async setDeadManSwitch(timeoutMs: number, options: port.ReadOptions): Promise<void> {
    const { time } = await this.parts.client.info({ type: 'exchangeStatus' }, wire.statusSchema, options);
    await this.control({ type: 'scheduleCancel', ...(timeoutMs === 0 ? {} : { time: time + timeoutMs }) }, options);
  }

  streamPrivate(onMessage: (message: port.PrivateMessage) => void): port.VenueStream {
    return this.parts.streams.open({ user: this.user, agent: this.agent === this.owner ? null : this.agent, session: this }, onMessage);
  }

  /** Who says how much is left is the venue; entries stop before it must. */
  private async exchange(body: string, count: number, options: port.SendOptions): ReturnType<HyperliquidClient['exchange']> {
    const budget = this.parts.budgetOf(this.user);
    const waitMs = options.priority === 'entry' ? budget.entryWaitMs(count) : 0;
    if (waitMs > 0) throw new VenueRateLimited(this.venue, `the requests that ${this.venue} takes of ${this.user} are spent but for exits and cancels; trading frees one for each USDC; nothing was sent`, waitMs, 'budget');
    try {
      const answer = await this.parts.client.exchange(body, options);
      budget.spent(count);
      return answer;
    } catch (error) {
      if (error instanceof VenueRateLimited && error.by === 'venue') budget.exhausted();
      throw error;
    }
  }

  /** A canceled order is read once more: what was filled of it before belongs to the answer. */
  private canceled({ cancels }: HyperliquidBytes, statuses: readonly wire.ItemStatus[], { signal }: port.SendOptions): Promise<port.ItemAnswer[]> {
    return Promise.all(
      statuses.map(async (status, index): Promise<port.ItemAnswer> => {
        const reference = cancels[index];
        if (typeof status === 'object') return refused('error' in status ? status.error : JSON.stringify(status));
        const taken: port.ItemAnswer = { kind: 'accepted', venueOrderId: reference?.venueOrderId ?? null, transactionHash: null };
        if (reference === undefined) return taken;
        try {
          const order = await this.findOrder(reference, { signal, priority: 'exit' });
          return order === null || order.status === 'open' ? taken : { kind: 'acknowledged', order };
        } catch {
          // The cancel was taken; what became of the order is asked for by whoever sent it.
          return taken;
        }
      }),
    );
  }

  private async checkAgent(options: port.ReadOptions): Promise<void> {
    if (this.agent === this.owner) return;
    const { role, data } = await this.parts.client.info({ type: 'userRole', user: this.agent }, wire.roleSchema, options);
    if (role === 'agent' && data?.user?.toLowerCase() === this.owner) return;
    throw new VenueRefused(this.venue, 'unauthorized', 'AGENT_UNKNOWN', `${this.venue}: agent wallet ${this.agent} is not approved by ${this.owner}; approve it at the venue, or give its key`);
  }

  private async asset(venueSymbol: string, options: port.ReadOptions): Promise<Asset> {
    await this.parts.loaded(options);
    const asset = this.parts.view.asset(venueSymbol);
    if (asset === null) throw new VenueRefused(this.venue, 'marketClosed', 'UNKNOWN_MARKET', `${this.venue} has no market ${venueSymbol}`);
    return asset;
  }

  private async control(action: object, options: port.ReadOptions): Promise<void> {
    const nowMs = await this.parts.venueTimeMs(options);
    await this.parts.client.control(actionBody(this.signer, action, this.parts.nextNonce(this.agent), nowMs + MIN_EXPIRY_MS), options);
  }

  private states(options: port.ReadOptions): Promise<{ asset: string; state: wire.Clearinghouse }[]> {
    const { client, collateralOf } = this.parts;
    return Promise.all(this.dexes().map(async (dex) => ({ asset: collateralOf(dex.dex ?? ''), state: await client.info({ type: 'clearinghouseState', user: this.user, ...dex }, wire.clearinghouseSchema, options) })));
  }

  private dexes(): { dex?: string }[] {
    return [{}, ...this.parts.options.dexes.map((dex) => ({ dex }))];
  }
}
