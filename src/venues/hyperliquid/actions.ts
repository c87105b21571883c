/** From our orders to the venue's actions, signed. What cannot be said to the venue is refused here, item by item, with the nearest that can. */
import { decimalText, decimal } from '../../domain/decimal';
import { multipleAtOrBelow, priceAtOrAbove, priceAtOrBelow, isValidPrice } from '../../domain/grid';
import type { AmendRequest, ItemAnswer, OrderGrouping, OrderReference, PlaceRequest, PrepareContext, SignedRequest } from '../../domain/venue';
import { VenueRefused } from '../../domain/venue-errors';
import type { Address } from '../ecdsa';
import { slippagePrice, toCloid, type Asset } from './normalize';
import { signAction, wireDecimal, type HyperliquidNetwork } from './signing';

export type Refused = Extract<ItemAnswer, { kind: 'refused' }>;

/** The stored bytes: what goes out, and what its answer is read by. */
export interface HyperliquidBytes {
  /** The text of POST /exchange, exactly as signed; null when every item was refused here. */
  readonly body: string | null;
  readonly orders: readonly PlaceRequest[];
  readonly cancels: readonly OrderReference[];
  /** Refused here, by place in the list. */
  readonly refused: Readonly<Record<string, Refused>>;
  /** Ms: when it was prepared by the venue's clock, as near as the nonce tells. */
  readonly atMs: number;
}

export interface ActionSigner {
  readonly venue: string;
  readonly privateKey: Uint8Array;
  readonly network: HyperliquidNetwork;
  readonly vaultAddress: Address | null;
}

/** What the adapter knows of its markets. */
export interface MarketView {
  asset(coin: string): Asset | null;
  /** null while no live middle is known. */
  middle(coin: string): string | null;
  readonly slippage: string;
  /** False for coins whose dex is traded without client ids. */
  carriesCloid(coin: string): boolean;
}

/** An expired action costs five times the budget: a deadline is never nearer than this. */
export const MIN_EXPIRY_MS = 10_000;

/** Until when the venue takes an action, by its own clock. The nonce is a time, too, but one by ours, which may be wrong by minutes. */
export function expiryOf({ venueDeadlineMs, venueTimeMs, nonce }: PrepareContext): number {
  return Math.ceil(Math.max(venueDeadlineMs, (venueTimeMs ?? Number(nonce)) + MIN_EXPIRY_MS));
}

class Refusal extends Error {
  constructor(
    readonly code: Refused['code'],
    message: string,
  ) {
    super(message);
  }
}

const GROUPINGS: Readonly<Record<OrderGrouping, string>> = { entryWithExits: 'normalTpsl', positionExits: 'positionTpsl' };

export function placeBytes(signer: ActionSigner, view: MarketView, orders: readonly PlaceRequest[], context: PrepareContext): SignedRequest {
  const refused: Record<string, Refused> = {};
  const wire = orders.flatMap((order, index) => {
    try {
      return [orderWire(view, order)];
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      refused[index] = { kind: 'refused', code: error.code, venueCode: 'NOT_SENT', message: error.message };
      return [];
    }
  });
  const grouping = context.grouping === undefined ? 'na' : GROUPINGS[context.grouping];
  // A group stands or falls together: without its entry, or one of its exits, it would be something nobody asked for.
  const torn = grouping !== 'na' && wire.length < orders.length;
  if (torn) orders.forEach((_, index) => (refused[index] ??= { kind: 'refused', code: 'other', venueCode: 'NOT_SENT', message: 'another order of its group cannot be sent, so none of them was' }));
  const action = wire.length === 0 || torn ? null : { type: 'order', orders: wire, grouping };
  return signed(signer, 'place', action, context, true, { orders, cancels: [], refused });
}

/** Hyperliquid replaces the order by a new one under the same client id. Throws VenueRefused where that cannot be said. */
export function amendBytes(signer: ActionSigner, view: MarketView, amendment: AmendRequest, context: PrepareContext): SignedRequest {
  const { terms, order } = amendment;
  if (terms === undefined) throw new VenueRefused(signer.venue, 'other', 'NO_TERMS', `${signer.venue} needs the order's terms to replace it`);
  if (!decimal(terms.filledQuantity).isZero()) {
    // The replacement would start at nothing filled: two counts for one order.
    throw new VenueRefused(signer.venue, 'other', 'PARTIALLY_FILLED', `${signer.venue} replaces an order to amend it, and this one is partially filled: cancel it and place the rest anew`);
  }
  if (!view.carriesCloid(order.venueSymbol)) {
    // The new order would have another id and nothing of ours in it.
    throw new VenueRefused(signer.venue, 'other', 'NO_CLIENT_ID', `${signer.venue} replaces an order to amend it, and orders of ${order.venueSymbol} carry no client id by which the new one could be known: cancel it and place anew`);
  }
  const wanted: PlaceRequest = { ...terms, venueClientId: order.venueClientId, venueSymbol: order.venueSymbol, limitPrice: amendment.limitPrice ?? terms.limitPrice, quantity: amendment.quantity ?? terms.quantity, triggerPrice: amendment.triggerPrice ?? terms.triggerPrice ?? null };
  try {
    const action = { type: 'batchModify', modifies: [{ oid: referenceOf(signer.venue, view, order), order: orderWire(view, wanted) }] };
    return signed(signer, 'amend', action, context, true, { orders: [wanted], cancels: [], refused: {} });
  } catch (error) {
    if (error instanceof Refusal) throw new VenueRefused(signer.venue, error.code, 'NOT_SENT', error.message);
    throw error;
  }
}

/** By client id where there is one: an amendment changes the venue's own. A late cancel harms nobody, so it has no deadline. */
export function cancelBytes(signer: ActionSigner, view: MarketView, orders: readonly OrderReference[], context: PrepareContext): SignedRequest {
  const assets = orders.map(({ venueSymbol }) => {
    const asset = view.asset(venueSymbol);
    if (asset === null) throw new VenueRefused(signer.venue, 'marketClosed', 'UNKNOWN_MARKET', `${signer.venue} has no market ${venueSymbol}`);
    return asset.id;
  });
  const references = orders.map((order) => referenceOf(signer.venue, view, order));
  // One action names its orders in one way only.
  const byCloid = references.every((reference) => typeof reference === 'string');
  if (!byCloid && references.some((reference) => typeof reference === 'string')) throw new VenueRefused(signer.venue, 'other', 'MIXED_REFERENCES', `${signer.venue} cancels a list either by client ids or by its own`);
  const action = byCloid
    ? { type: 'cancelByCloid', cancels: references.map((cloid, index) => ({ asset: assets[index], cloid })) }
    : { type: 'cancel', cancels: references.map((oid, index) => ({ a: assets[index], o: oid })) };
  return signed(signer, 'cancel', action, context, false, { orders: [], cancels: orders, refused: {} });
}

/** Any other action, for settings: its body as text. */
export function actionBody(signer: ActionSigner, action: object, nonce: string, expiresAfterMs: number | null): string {
  const { vaultAddress } = signer;
  const context = { nonce: Number(nonce), vaultAddress, expiresAfterMs };
  return JSON.stringify({ action, nonce: context.nonce, signature: signAction(action, context, signer), vaultAddress, expiresAfter: expiresAfterMs });
}

/**
 * The request without effect that uses up the nonce of this one; null where there is nothing to use up, or another key signed it: a nonce is
 * its signer's, and one of ours would prove nothing of his. Source: the venue's documentation, "Invalidate pending nonce (noop)".
 */
export function voidBody(signer: ActionSigner, request: SignedRequest): string | null {
  const { body } = readBytes(signer.venue, request);
  if (body === null) return null;
  const { action, nonce, signature, vaultAddress, expiresAfter } = JSON.parse(body) as SignedBody;
  // The same key makes the same signature of the same words, always.
  const ours = signAction(action, { nonce, vaultAddress, expiresAfterMs: expiresAfter }, signer);
  if (ours.r !== signature.r || ours.s !== signature.s || ours.v !== signature.v) return null;
  return actionBody(signer, { type: 'noop' }, String(nonce), null);
}

interface SignedBody {
  readonly action: object;
  readonly nonce: number;
  readonly signature: { readonly r: string; readonly s: string; readonly v: number };
  readonly vaultAddress: Address | null;
  readonly expiresAfter: number | null;
}

export function readBytes(venue: string, request: SignedRequest): HyperliquidBytes {
  try {
    return JSON.parse(request.bytes) as HyperliquidBytes;
  } catch {
    throw new VenueRefused(venue, 'other', 'BAD_BYTES', `${venue}: the stored request is not readable; prepare it again`);
  }
}

function signed(signer: ActionSigner, kind: SignedRequest['kind'], action: object | null, context: PrepareContext, expires: boolean, rest: Pick<HyperliquidBytes, 'orders' | 'cancels' | 'refused'>): SignedRequest {
  if (context.nonce === null) throw new RangeError(`${signer.venue} needs a nonce`);
  const expiresAfterMs = expires ? expiryOf(context) : null;
  const body = action === null ? null : actionBody(signer, action, context.nonce, expiresAfterMs);
  const bytes: HyperliquidBytes = { body, ...rest, atMs: Number(context.nonce) };
  return { kind, bytes: JSON.stringify(bytes), nonce: context.nonce, venueDeadlineMs: expiresAfterMs };
}

/** By client id where its dex carries them: an amendment changes the venue's own. */
function referenceOf(venue: string, view: MarketView, { venueClientId, venueOrderId, venueSymbol }: OrderReference): string | number {
  const cloid = view.carriesCloid(venueSymbol) ? toCloid(venueClientId) : null;
  if (cloid !== null) return cloid;
  if (venueOrderId === null) throw new VenueRefused(venue, 'notFound', 'NO_NAME', `${venue}: the venue's id of this order is not known yet, and it carries no client id; ask again once it is`);
  return Number(venueOrderId);
}

const TRIGGERS = {
  stopMarket: { tpsl: 'sl', isMarket: true },
  stopLimit: { tpsl: 'sl', isMarket: false },
  takeProfitMarket: { tpsl: 'tp', isMarket: true },
  takeProfitLimit: { tpsl: 'tp', isMarket: false },
} as const;

/** In the key order that is signed. */
function orderWire(view: MarketView, order: PlaceRequest): object {
  const asset = view.asset(order.venueSymbol);
  if (asset === null) throw new Refusal('marketClosed', `there is no market ${order.venueSymbol}`);
  const { side, type, timeInForce, quantity, postOnly, reduceOnly } = order;
  const lot = multipleAtOrBelow(quantity, asset.market.lot);
  if (!lot.equals(quantity)) throw new Refusal('invalidQuantity', `quantity ${quantity} is no multiple of ${asset.market.lot}; the nearest below is ${decimalText(lot)}`);
  const cloid = view.carriesCloid(order.venueSymbol) ? toCloid(order.venueClientId) : null;
  const wire = (price: string, kind: object): object => ({
    a: asset.id, b: side === 'buy', p: wireDecimal(validPrice(asset, price)), s: wireDecimal(quantity), r: reduceOnly, t: kind, ...(cloid === null ? {} : { c: cloid }),
  });
  if (type === 'market') return wire(marketPrice(view, asset, order), { limit: { tif: 'Ioc' } });
  if (type === 'limit') {
    if (timeInForce !== 'GTC' && timeInForce !== 'IOC') throw new Refusal('other', `there is no ${timeInForce}; use GTC or IOC`);
    return wire(order.limitPrice ?? '', { limit: { tif: timeInForce === 'IOC' ? 'Ioc' : postOnly ? 'Alo' : 'Gtc' } });
  }
  const known = type === 'stopMarket' || type === 'stopLimit' || type === 'takeProfitMarket' || type === 'takeProfitLimit' ? TRIGGERS[type] : null;
  const trigger = order.triggerPrice ?? null;
  if (known === null || trigger === null) throw new Refusal('other', `there are no ${type} orders${known === null ? '' : ' without a trigger price'}`);
  const worst = known.isMarket ? slippagePrice(asset.tickRule, trigger, side, view.slippage) : (order.limitPrice ?? '');
  return wire(worst, { trigger: { isMarket: known.isMarket, triggerPx: wireDecimal(validPrice(asset, trigger)), tpsl: known.tpsl } });
}

function marketPrice(view: MarketView, asset: Asset, order: PlaceRequest): string {
  if (order.limitPrice !== null) return order.limitPrice;
  const middle = view.middle(asset.coin);
  if (middle === null) throw new Refusal('noLiquidity', `no live price of ${asset.coin} is known: a market order needs one for its slippage limit`);
  return slippagePrice(asset.tickRule, middle, order.side, view.slippage);
}

function validPrice({ tickRule }: Asset, price: string): string {
  if (price === '') throw new Refusal('invalidPrice', 'a limit order needs a limit price');
  if (isValidPrice(tickRule, price)) return price;
  throw new Refusal('invalidPrice', `price ${price} is not valid; the nearest are ${decimalText(priceAtOrBelow(tickRule, price))} and ${decimalText(priceAtOrAbove(tickRule, price))}`);
}
