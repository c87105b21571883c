/**
 * What the venue judges of a list of orders by its text alone, before any of them: one sentence then stands for the whole list, and no
 * order of it has an effect. Source: its documentation, "Error responses" (an empty list, exits that are not reduce-only, a price far
 * from the reference, some forms of tick size); the sentences are those that users were given. Words marked (ours) are not known.
 */
import { decimal, type Decimal } from '../../domain/decimal';
import { PaperError } from '../errors';
import type { OrderRequest } from '../order';
import { MALFORMED } from './hyperliquid-info';
import { readOrder, type Item } from './hyperliquid-requests';
import type { HyperliquidAsset } from './hyperliquid-universe';

const SIGNIFICANT_FIGURES = 5;
/** A limit further than this from the mark is refused (0.8 of it). */
const MAX_DISTANCE = decimal('0.8');

export interface PayloadPort {
  /** Throws where there is no such asset: an order's own refusal. */
  readonly asset: (id: unknown) => HyperliquidAsset;
  readonly markOf: (coin: string) => Decimal | null;
}

/** The sentence, or null where each order is judged by itself. Throws what cannot be read at all. */
export function refusedPayload(orders: readonly Item[], grouping: unknown, port: PayloadPort): string | null {
  if (orders.length === 0) return 'Orders are empty.';
  const all = orders.map((item) => readItem(item, port));
  return all.find(({ refusal }) => refusal !== null)?.refusal ?? refusedGroup(all.map(({ order }) => order), grouping);
}

/** `order`: null where it is on no market, which is its own refusal later, or cannot be made of what was sent. */
function readItem(item: Item, port: PayloadPort): { readonly order: OrderRequest | null; readonly refusal: string | null } {
  let asset: HyperliquidAsset | null = null;
  try {
    asset = port.asset(item['a']);
    const order = readOrder(item, asset, '');
    return { order, refusal: refusedOrder(order, asset, port) };
  } catch (error) {
    if (!(error instanceof PaperError) || error.message === MALFORMED) throw error;
    return { order: null, refusal: asset === null ? null : error.message };
  }
}

function refusedOrder({ price, triggerPrice, quantity }: OrderRequest, asset: HyperliquidAsset, { markOf }: PayloadPort): string | null {
  if (quantity.decimalPlaces() > asset.szDecimals) return 'Order has invalid size.';
  for (const each of [price, triggerPrice ?? null]) if (each !== null && !each.isInteger() && each.precision() > SIGNIFICANT_FIGURES) return 'Order has invalid price.';
  const mark = triggerPrice === undefined ? markOf(asset.coin) : null;
  const isFar = mark !== null && price !== null && price.minus(mark).abs().greaterThan(mark.times(MAX_DISTANCE));
  return isFar ? 'Order price cannot be more than 80% away from the reference price' : null;
}

/** null in the place of an order on no market, which is refused by itself. */
function refusedGroup(orders: readonly (OrderRequest | null)[], grouping: unknown): string | null {
  if (grouping === 'na') return null;
  const isTrigger = (order: OrderRequest | null | undefined): boolean => order?.triggerPrice !== undefined;
  const exits = grouping === 'normalTpsl' ? orders.slice(1) : orders;
  if (grouping === 'normalTpsl' && isTrigger(orders[0])) return 'Main order cannot be trigger order.';
  if (exits.length === 0 || !exits.every((order) => order === null || isTrigger(order))) return 'Unexpected number of trigger orders';
  return exits.some((order) => order?.reduceOnly === false) ? 'TP/SL orders must be reduce only.' : null; // (ours)
}
