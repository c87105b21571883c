/** One account at Hyperliquid: an agent wallet signs, the account (or its vault) trades. Reads are by address and need no key. */
import type * as port from '../../domain/venue';
import { VenueOutcomeUnknown, VenueRefused } from '../../domain/venue-errors';
import { addressOf } from '../ecdsa';
import { refusal } from '../http';
import type { SocketDialect } from '../socket';
import { actionBody, amendBytes, cancelBytes, MIN_EXPIRY_MS, placeBytes, readBytes, type ActionSigner, type HyperliquidBytes, type MarketView } from './actions';
import { privateDialect, type HyperliquidClient, type OnDrift } from './client';
import { openOrder, refusalCode, toBalance, toCloid, toFill, toOrder, toPositions } from './normalize';
import * as wire from './schemas';

/** Of all fills of an account only so many newest can be read. */
const FILL_HISTORY = 10_000;
const ORDER_HISTORY = 2_000;

export interface SessionParts {
  readonly client: HyperliquidClient;
  readonly view: MarketView;
  readonly options: wire.HyperliquidOptions;
  readonly nowMs: () => number;
  readonly onDrift: OnDrift;
  /** Loads metadata if it is not there yet. */
  readonly loaded: (options: port.ReadOptions) => Promise<void>;
  /** A nonce no request of this process used, for settings; orders get theirs from the store. */
  readonly venueTimeMs: (options: port.ReadOptions) => Promise<number>;
  readonly nextNonce: (signer: string) => string;
  readonly open: (dialect: SocketDialect<port.PrivateMessage>, onMessage: (message: port.PrivateMessage) => void) => port.VenueStream;
}

export class HyperliquidSession implements port.VenueAccountSession {
  private readonly signer: ActionSigner;
  private readonly agent: string;
  /** Whose orders these are: the account's, or its vault's. */
  private readonly user: string;
  private readonly owner: string;

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
    const { answer, raw, latencyMs } = await this.parts.client.exchange(bytes.body, options);
    const common = { raw, venueTimeMs: null, latencyMs };
    const count = request.kind === 'cancel' ? bytes.cancels.length : bytes.orders.length;
    if (answer.status === 'err') {
      const code = refusalCode(answer.response);
      // A used nonce is an answer about an earlier send of these bytes, for each of its orders: to be asked for.
      if (code !== 'duplicateClientId') throw refusal(this.venue, code, 'ERR', answer.response, raw);
      return { items: Array.from({ length: count }, () => refused(answer.response)), ...common };
    }
    const statuses = answer.response.data?.statuses ?? [];
    const sent = count - Object.keys(bytes.refused).length;
    // One error may stand for the whole list.
    const [only] = statuses;
    if (statuses.length !== sent && !(statuses.length === 1 && typeof only === 'object' && 'error' in only)) {
      throw new VenueOutcomeUnknown(this.venue, `${this.venue}: ${statuses.length} answers came for ${sent} items`, 'unreadable', raw);
    }
    let next = 0;
    const take = (): wire.ItemStatus => statuses[statuses.length === sent ? next++ : 0] ?? { error: 'no answer' };
    if (request.kind === 'cancel') return { items: await this.canceled(bytes, Array.from({ length: sent }, take), options), ...common };
    return { items: bytes.orders.map((order, index) => (bytes.refused[index] === undefined ? this.placed(order, take(), bytes) : refusedHere(bytes, index))), ...common };
  }

  async findOrder(order: port.OrderReference, options: port.ReadOptions): Promise<port.VenueOrder | null> {
    const oid = toCloid(order.venueClientId) ?? (order.venueOrderId === null ? null : Number(order.venueOrderId));
    if (oid === null) return null;
    const answer = await this.parts.client.info({ type: 'orderStatus', user: this.user, oid }, wire.orderStatusSchema, options);
    return answer.status === 'unknownOid' ? null : toOrder(answer.order);
  }

  async openOrders(options: port.ReadOptions): Promise<readonly port.VenueOrder[]> {
    const lists = await Promise.all(this.dexes().map((dex) => this.parts.client.info({ type: 'frontendOpenOrders', user: this.user, ...dex }, wire.ordersSchema, options)));
    return lists.flat().map(openOrder);
  }

  async closedOrders(sinceMs: number, options: port.ReadOptions): Promise<readonly port.VenueOrder[]> {
    const states = await this.parts.client.info({ type: 'historicalOrders', user: this.user }, wire.orderStatesSchema, options);
    const oldest = states.at(-1);
    if (states.length >= ORDER_HISTORY && oldest !== undefined && oldest.statusTimestamp > sinceMs) {
      throw new VenueOutcomeUnknown(this.venue, `${this.venue} shows only the newest ${ORDER_HISTORY} orders; ask for a later time`, 'unreadable');
    }
    // The newest first: an amended order's earlier ids come after the one that took their place.
    const seen = new Set<string>();
    const orders = states.map(toOrder).filter(({ venueClientId }) => venueClientId === null || (!seen.has(venueClientId) && seen.add(venueClientId) !== undefined));
    return orders.filter(({ status, updatedAtMs }) => status !== 'open' && updatedAtMs >= sinceMs).reverse();
  }

  /** The cursor holds the time to go on from, how many were read, and which fills of that very time are known. */
  async fillsSince(sinceMs: number, cursor: string | null, options: port.ReadOptions): Promise<port.FillsPage> {
    const from = cursor === null ? { atMs: sinceMs, read: 0, firstMs: null, known: [] as string[] } : (JSON.parse(cursor) as { atMs: number; read: number; firstMs: number | null; known: string[] });
    const { fillsPerPage } = this.parts.options;
    const page = (await this.parts.client.info({ type: 'userFillsByTime', user: this.user, startTime: from.atMs }, wire.fillsSchema, options)).slice(0, fillsPerPage);
    const fills = page.map(toFill).filter((fill) => !from.known.includes(fillKey(fill)));
    const read = from.read + fills.length;
    const firstMs = from.firstMs ?? page[0]?.time ?? null;
    const lastMs = page.at(-1)?.time;
    if (page.length < fillsPerPage || lastMs === undefined) return { fills, next: null, truncatedBeforeMs: read >= FILL_HISTORY ? firstMs : null };
    if (fills.length === 0) throw new VenueOutcomeUnknown(this.venue, `${this.venue}: more than ${fillsPerPage} fills of one millisecond cannot be read`, 'unreadable');
    const known = page.filter(({ time }) => time === lastMs).map((fill) => fillKey(toFill(fill)));
    return { fills, next: JSON.stringify({ atMs: lastMs, read, firstMs, known }), truncatedBeforeMs: null };
  }

  async positions(options: port.ReadOptions): Promise<readonly port.VenuePosition[]> {
    return (await this.states(options)).flatMap(toPositions);
  }

  /** Reads need no key, so the agent's standing is asked for too: a revoked one is an error here, as at other venues. */
  async balances(options: port.ReadOptions): Promise<readonly port.VenueBalance[]> {
    const [states] = await Promise.all([this.states(options), this.checkAgent(options)]);
    return [toBalance(states)];
  }

  async checkCredentials(options: port.ReadOptions): Promise<void> {
    await this.checkAgent(options);
    await this.control({ type: 'noop' }, options);
  }

  async setLeverage(venueSymbol: string, leverage: string, options: port.ReadOptions, marginMode: 'cross' | 'isolated' = 'cross'): Promise<void> {
    if (!/^[1-9]\d{0,2}$/.test(leverage)) throw new RangeError(`leverage must be a whole number from 1, got ${leverage}`);
    await this.parts.loaded(options);
    const asset = this.parts.view.asset(venueSymbol);
    if (asset === null) throw new VenueRefused(this.venue, 'marketClosed', 'UNKNOWN_MARKET', `${this.venue} has no market ${venueSymbol}`);
    await this.control({ type: 'updateLeverage', asset: asset.id, isCross: marginMode === 'cross', leverage: Number(leverage) }, options);
  }

  async setDeadManSwitch(timeoutMs: number, options: port.ReadOptions): Promise<void> {
    const { time } = await this.parts.client.info({ type: 'exchangeStatus' }, wire.statusSchema, options);
    await this.control({ type: 'scheduleCancel', ...(timeoutMs === 0 ? {} : { time: time + timeoutMs }) }, options);
  }

  streamPrivate(onMessage: (message: port.PrivateMessage) => void): port.VenueStream {
    const { nowMs, onDrift, options, open } = this.parts;
    const stop = new AbortController();
    const confirm = (order: port.VenueOrder): void => {
      const reading = { signal: stop.signal, priority: 'read' } as const;
      this.findOrder({ ...order, venueClientId: order.venueClientId ?? '' }, reading).then(
        (found) => (stop.signal.aborted ? undefined : onMessage({ kind: 'order', order: found ?? order, atMs: order.updatedAtMs })),
        () => (stop.signal.aborted ? undefined : onMessage({ kind: 'gap', reason: 'a cancel could not be confirmed' })),
      );
    };
    const dialect = privateDialect({ user: this.user, dexes: options.dexes, agent: this.agent === this.owner ? null : this.agent, agentCheckEveryMs: options.agentCheckEveryMs, nowMs, onDrift, onDoubtfulCancel: confirm });
    const stream = open(dialect, onMessage);
    return {
      ready: stream.ready,
      close: () => {
        stop.abort();
        stream.close();
      },
    };
  }

  private placed(order: port.PlaceRequest, status: wire.ItemStatus, { atMs }: HyperliquidBytes): port.ItemAnswer {
    if (typeof status === 'string') return { kind: 'accepted', venueOrderId: null, transactionHash: null };
    if ('error' in status) return refused(status.error);
    const filled = 'filled' in status ? status.filled : null;
    const oid = 'filled' in status ? status.filled.oid : status.resting.oid;
    const whole = filled !== null && Number(filled.totalSz) >= Number(order.quantity);
    return {
      kind: 'acknowledged',
      order: {
        venueOrderId: String(oid), venueClientId: order.venueClientId, venueSymbol: order.venueSymbol, side: order.side, type: order.type, timeInForce: order.timeInForce,
        quantity: order.quantity, limitPrice: order.limitPrice, filledQuantity: filled === null ? '0' : trimmed(filled.totalSz), avgPrice: filled === null ? null : trimmed(filled.avgPx),
        status: filled === null ? 'open' : whole ? 'filled' : 'canceled', reasonCode: filled === null || whole ? null : 'iocCancel',
        postOnly: order.postOnly, reduceOnly: order.reduceOnly, revision: null, updatedAtMs: atMs, ...(order.triggerPrice === undefined || order.triggerPrice === null ? {} : { triggerPrice: order.triggerPrice, triggeredAtMs: null }),
      },
    };
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

  private async control(action: object, options: port.ReadOptions): Promise<void> {
    const nonce = this.parts.nextNonce(this.agent);
    await this.parts.client.control(actionBody(this.signer, action, nonce, (await this.parts.venueTimeMs(options)) + MIN_EXPIRY_MS), options);
  }

  private states(options: port.ReadOptions) {
    return Promise.all(this.dexes().map((dex) => this.parts.client.info({ type: 'clearinghouseState', user: this.user, ...dex }, wire.clearinghouseSchema, options)));
  }

  private dexes(): { dex?: string }[] {
    return [{}, ...this.parts.options.dexes.map((dex) => ({ dex }))];
  }
}

function refused(words: string): port.ItemAnswer {
  return { kind: 'refused', code: refusalCode(words), venueCode: 'ERROR', message: words };
}

function refusedHere({ refused: items }: HyperliquidBytes, index: number): port.ItemAnswer {
  return items[index] ?? { kind: 'refused', code: 'other', venueCode: 'NOT_SENT', message: 'not sent' };
}

function fillKey({ venueFillId, side, venueOrderId }: port.VenueFill): string {
  return `${venueFillId}/${side}/${venueOrderId}`;
}

function trimmed(number: string): string {
  return number.includes('.') ? number.replace(/\.?0+$/, '') : number;
}
