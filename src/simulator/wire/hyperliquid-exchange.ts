/** POST /exchange of the simulated Hyperliquid: signed actions, each refused in the venue's words by its real cause. */
import type { Account } from '../account';
import { PaperError, type PaperErrorCode } from '../errors';
import { hideNewOrder } from '../fault-effects';
import { type Order, type OrderRequest, isArmed } from '../order';
import type { PaperVenue } from '../paper-venue';
import { keptLinks, linksOf } from './hyperliquid-groups';
import { MALFORMED, malformed } from './hyperliquid-info';
import { isUserSigned, type Network, type SignedBody, signerOf } from './hyperliquid-signatures';
import { integer, type Item, itemsOf, readBody, readOrder, record } from './hyperliquid-requests';
import { type PayloadPort, refusedPayload } from './hyperliquid-payload';
import * as settings from './hyperliquid-settings';
import { assetById, type HyperliquidAsset } from './hyperliquid-universe';
import { withdraw } from './hyperliquid-bridge';
import { ownerOf, readAddress, type HyperliquidUsers } from './hyperliquid-users';
import * as views from './hyperliquid-views';

type Status = Record<string, unknown> | string;
export interface ExchangeAnswer {
  readonly status: 'ok' | 'err';
  readonly response: unknown;
}

/** An order whose client id was used before gets a counter behind it in the core, which takes each only once. */
const AGAIN = '#';
const DONE = { type: 'default' } as const;
/** Requests that an expired action counts as. */
const EXPIRED_COSTS = 5;
/** What an amendment is answered whose new order was refused: the old one is canceled by then. */
const MODIFY_FAILED = 'Error placing new order during modify: ';

export class HyperliquidExchange {
  /** Told of the id an order had before it was replaced. */
  onReplaced: (order: Order, oldOid: number) => void = () => undefined;

  constructor(
    private readonly venue: PaperVenue,
    private readonly users: HyperliquidUsers,
    private readonly network: Network,
  ) {}

  /** Runs one signed request to its answer. Throws PaperError('BAD_REQUEST') only for a body it cannot read. */
  run(body: unknown): ExchangeAnswer {
    const signed = readBody(body);
    try {
      return { status: 'ok', response: this.act(signed) };
    } catch (error) {
      if (!(error instanceof PaperError) || error.message === MALFORMED) throw error;
      return { status: 'err', response: error.message };
    }
  }

  private act(signed: SignedBody): unknown {
    const now = this.venue.clock.now();
    const { action, nonce, vaultAddress, expiresAfter } = signed;
    const type = String(action['type']);
    const signer = signerOf(signed, this.network);
    const user = this.users.userOf(signer);
    // A wrong signature recovers to an address nobody knows: the venue cannot tell the two apart either.
    if (user === null) throw new PaperError('BAD_REQUEST', `User or API Wallet ${signer} does not exist.`);
    if (isUserSigned(type) && user !== signer) throw new PaperError('BAD_REQUEST', `Must deposit before performing actions. User: ${signer}`);
    const trader = vaultAddress === null ? user : this.vaultOf(vaultAddress, user);
    this.users.takeNonce(signer, nonce, now);
    // Its nonce is used up all the same.
    if (expiresAfter !== null && now > expiresAfter) {
      this.users.countRequests(user, EXPIRED_COSTS, false, now);
      throw new PaperError('BAD_REQUEST', 'Action already expired');
    }
    this.users.countRequests(user, itemsOf(action).length || 1, type.startsWith('cancel'), now);
    switch (type) {
      case 'order':
        return { type: 'order', data: { statuses: this.order(trader, action, now) } };
      case 'cancel':
      case 'cancelByCloid':
        return { type: 'cancel', data: { statuses: itemsOf(action).map((item) => this.each(() => this.cancel(trader, item, now))) } };
      case 'modify': {
        const refused = refusedPayload([record(action['order'])], 'na', this.payload);
        if (refused !== null) throw new PaperError('BAD_REQUEST', refused);
        this.modify(trader, action, now);
        return DONE;
      }
      case 'batchModify': {
        const refused = refusedPayload(itemsOf(action).map((item) => record(item['order'])), 'na', this.payload);
        return { type: 'order', data: { statuses: refused !== null ? [{ error: refused }] : itemsOf(action).map((item) => this.each(() => this.modify(trader, item, now))) } };
      }
      case 'scheduleCancel':
        settings.scheduleCancel(this.venue, this.users, trader, action['time'] ?? null, now);
        return DONE;
      case 'updateLeverage': {
        const asset = this.asset(action['asset']);
        settings.updateLeverage(this.venue, this.account(trader, asset), asset, action);
        return DONE;
      }
      case 'updateIsolatedMargin': {
        const asset = this.asset(action['asset']);
        settings.updateIsolatedMargin(this.venue, this.account(trader, asset), asset, action);
        return DONE;
      }
      case 'noop':
        return DONE;
      case 'approveAgent':
        this.users.approveAgent(user, readAddress(action['agentAddress']));
        return DONE;
      case 'usdClassTransfer':
        settings.classTransfer(this.venue, this.users, user, action);
        return DONE;
      case 'sendAsset':
      case 'agentSendAsset':
        settings.sendAsset(this.venue, this.users, user, action, type === 'agentSendAsset', now);
        return DONE;
      case 'withdraw3':
        withdraw(this.venue, this.users, user, { action, nonce, now });
        return DONE;
      case 'createSubAccount':
        return { type, data: this.users.createSubAccount(user, action['name']) };
      case 'subAccountTransfer':
        settings.subAccountTransfer(this.venue, this.users, user, action);
        return DONE;
      default:
        throw malformed();
    }
  }

  private order(user: string, action: Item, now: number): Status[] {
    const { grouping } = action;
    if (grouping !== 'na' && grouping !== 'normalTpsl' && grouping !== 'positionTpsl') throw malformed();
    const refusedWhole = refusedPayload(itemsOf(action), grouping, this.payload);
    if (refusedWhole !== null) return [{ error: refusedWhole }];
    let entry: Order | null = null;
    let refused: Status | null = null;
    return itemsOf(action).map((item, index) => {
      // Without its entry an exit of the group is nothing.
      if (refused !== null && grouping === 'normalTpsl') return refused;
      const status = this.each(() => {
        const asset = this.asset(item['a']);
        const account = this.account(user, asset);
        const links = linksOf(grouping, index, entry, `position ${account.name} ${asset.coin}`);
        const order = this.place(account, asset, { ...readOrder(item, asset, this.clientId(account, item['c'])), links }, now);
        if (index === 0) entry = order;
        if (order.waitsFor !== null) return 'waitingForFill';
        if (isArmed(order)) return grouping === 'na' ? { resting: { oid: views.oidOf(order), ...shownCloid(order) } } : 'waitingForTrigger';
        return placedStatus(order, asset);
      });
      if (index === 0 && typeof status === 'object' && 'error' in status) refused = status;
      return status;
    });
  }

  private place(account: Account, asset: HyperliquidAsset, request: OrderRequest, now: number): Order {
    if (this.users.hasTooManyOrders(ownerOf(account.name).user, request)) throw new PaperError('BAD_REQUEST', `Too many open orders. asset=${asset.asset}`); // (ours)
    try {
      const order = this.venue.exchange.place(account, request, now);
      order.hiddenUntil = hideNewOrder(this.venue, account.name, views.cloidOf(order.clientId) ?? order.clientId);
      return order;
    } catch (error) {
      if (!(error instanceof PaperError)) throw error;
      throw new PaperError('BAD_REQUEST', this.words(error.code, error.message, asset));
    }
  }

  private cancel(user: string, item: Item, now: number): Status {
    const asset = this.asset(item['a'] ?? item['asset']);
    const order = this.find(user, item['o'] ?? item['cloid']);
    if (order === null || order.status !== 'open' || order.symbol !== asset.coin) {
      throw new PaperError('BAD_REQUEST', `Order was never placed, already canceled, or filled. asset=${asset.asset}`);
    }
    this.venue.exchange.cancel(this.venue.exchange.state.account(order.account), { orderId: order.orderId }, now);
    return 'success';
  }

  /**
   * The old order is canceled and the new one has an id of its own, also where the core keeps the order. Where the new one is
   * refused, the old one is gone all the same.
   */
  private modify(user: string, item: Item, now: number): Status {
    const wanted = record(item['order']);
    const asset = this.asset(wanted['a']);
    const order = this.find(user, item['oid']);
    if (order === null || order.status !== 'open') throw new PaperError('BAD_REQUEST', 'Cannot modify canceled or filled order');
    const account = this.venue.exchange.state.account(order.account);
    const request = { ...readOrder(wanted, asset, this.clientId(account, wanted['c'])), links: keptLinks(order) };
    try {
      return this.replace(account, asset, order, request, now);
    } catch (error) {
      if (!(error instanceof PaperError)) throw error;
      if (order.status === 'open') this.venue.exchange.cancel(account, { orderId: order.orderId }, now);
      throw new PaperError('BAD_REQUEST', MODIFY_FAILED + error.message);
    }
  }

  private replace(account: Account, asset: HyperliquidAsset, order: Order, request: OrderRequest, now: number): Status {
    const same = order.symbol === request.symbol && order.side === request.side && order.reduceOnly === request.reduceOnly && order.postOnly === request.postOnly && views.cloidOf(order.clientId) === views.cloidOf(request.clientId);
    if (!same || (request.triggerPrice ?? null) !== null || isArmed(order) || request.timeInForce !== order.timeInForce) {
      this.venue.exchange.cancel(account, { orderId: order.orderId }, now);
      return placedStatus(this.place(account, asset, request, now), asset);
    }
    const oldOid = views.oidOf(order);
    const { filled } = order;
    try {
      this.venue.exchange.amend(account, { orderId: order.orderId, amendId: `oid ${oldOid}`, price: request.price ?? undefined, quantity: filled.plus(request.quantity) }, now);
    } catch (error) {
      if (!(error instanceof PaperError)) throw error;
      throw new PaperError('BAD_REQUEST', this.words(error.code, error.message, asset));
    }
    views.filledBefore.set(order, filled);
    this.onReplaced(order, oldOid);
    return placedStatus(order, asset);
  }

  private find(user: string, reference: unknown): Order | null {
    const accounts = this.users.accountsOf(user);
    if (typeof reference === 'string') {
      const cloid = reference.toLowerCase();
      return accounts.flatMap((account) => [...account.orders.values()]).filter((order) => views.cloidOf(order.clientId) === cloid).at(-1) ?? null;
    }
    if (typeof reference !== 'number') throw malformed();
    const named = views.readOid(reference);
    const order = named === null ? undefined : this.venue.exchange.state.orders.get(named.orderId);
    if (named === null || order === undefined || named.generation !== views.generationOf(order)) return null;
    return accounts.some(({ name }) => name === order.account) ? order : null;
  }

  private account(user: string, asset: HyperliquidAsset): Account {
    const account = this.users.account(user, asset.dex);
    if (account === null) throw new PaperError('BAD_REQUEST', `User or API Wallet ${user} does not exist.`);
    return account;
  }

  private readonly payload: PayloadPort = { asset: (id) => this.asset(id), markOf: (coin) => this.venue.exchange.state.markOf(coin) };

  private asset(id: unknown): HyperliquidAsset {
    const asset = assetById(integer(id));
    if (asset === undefined || !this.venue.exchange.state.venues.has(asset.coin)) throw new PaperError('UNKNOWN_MARKET', `Invalid asset: ${String(id)}`);
    return asset;
  }

  private vaultOf(address: string, user: string): string {
    if (this.users.vaultLeaders.get(address) !== user) throw new PaperError('BAD_REQUEST', `Vault not registered: ${address}`);
    return address;
  }

  private clientId(account: Account, cloid: unknown): string {
    const next = this.venue.exchange.state.counters.orderId + 1;
    if (cloid === undefined || cloid === null) return `-${next}`;
    if (typeof cloid !== 'string' || !/^0x[0-9a-fA-F]{32}$/.test(cloid)) throw malformed();
    const id = cloid.toLowerCase();
    return account.orders.has(id) ? `${id}${AGAIN}${next}` : id;
  }

  private each(run: () => Status): Status {
    try {
      return run();
    } catch (error) {
      if (!(error instanceof PaperError) || error.message === MALFORMED) throw error;
      return { error: error.message };
    }
  }

  private words(code: PaperErrorCode, message: string, asset: HyperliquidAsset): string {
    const { book } = this.venue.exchange.state.venue(asset.coin);
    const at = `asset=${asset.asset}`;
    switch (code) {
      case 'BAD_TICK':
        return `Price must be divisible by tick size. ${at}`;
      case 'TRIGGER_ALREADY_REACHED':
        return `Invalid TP/SL price. ${at}`;
      case 'BELOW_MINIMUM':
        return `Order must have minimum value of $10. ${at}`;
      case 'INSUFFICIENT_MARGIN':
        return `Insufficient margin to place order. ${at}`;
      case 'POST_ONLY_WOULD_CROSS':
        return `Post only order would have immediately matched, bbo was ${book.bids.best()?.text ?? '0'}@${book.asks.best()?.text ?? '0'}. ${at}`;
      case 'REDUCE_ONLY_WOULD_INCREASE':
        return `Reduce only order would increase position. ${at}`;
      default:
        return `${message}. ${at}`;
    }
  }
}

function placedStatus(order: Order, asset: HyperliquidAsset): Status {
  if (order.status === 'open') return { resting: { oid: views.oidOf(order), ...shownCloid(order) } };
  if (order.filled.isZero()) throw new PaperError('BAD_REQUEST', `Order could not immediately match against any resting orders. asset=${asset.asset}`);
  return { filled: { totalSz: views.wireText(order.filled), avgPx: views.averageText(order), oid: views.oidOf(order), ...shownCloid(order) } };
}

function shownCloid(order: Order): { cloid?: string } {
  const cloid = views.cloidOf(order.clientId);
  return cloid === null ? {} : { cloid };
}
