/** What is inside a request to /exchange. Whatever cannot be read is malformed: the venue answers 422 and does nothing. */
import { Decimal, decimal, isPlainDecimal } from '../../domain/decimal';
import { PaperError } from '../errors';
import type { OrderRequest, OrderType } from '../order';
import { malformed } from './hyperliquid-info';
import { type Network, type SignedBody, signerOf } from './hyperliquid-signatures';
import { DEXES, type HyperliquidAsset } from './hyperliquid-universe';
import { readAddress } from './hyperliquid-users';

export type Item = Readonly<Record<string, unknown>>;

/** An item of a cancel or order list weighs with 39 others. */
const ITEMS_PER_WEIGHT = 40;

/** The list of an action, whatever it is called. */
export function itemsOf(action: Item): Item[] {
  const list = action['orders'] ?? action['cancels'] ?? action['modifies'];
  return Array.isArray(list) ? list.map(record) : [];
}

/** What an action costs of the weight of a minute. */
export function exchangeWeight(body: unknown): number {
  const action = typeof body === 'object' && body !== null && 'action' in body ? body.action : null;
  return 1 + Math.floor(itemsOf(typeof action === 'object' && action !== null ? (action as Item) : {}).length / ITEMS_PER_WEIGHT);
}

const TRIGGER_TYPES: Readonly<Record<string, OrderType>> = { 'sl true': 'stopMarket', 'sl false': 'stopLimit', 'tp true': 'takeProfitMarket', 'tp false': 'takeProfitLimit' };

export function readOrder(item: Item, asset: HyperliquidAsset, clientId: string): OrderRequest {
  const { b, r } = item;
  const kind = record(item['t']);
  if (typeof b !== 'boolean' || typeof r !== 'boolean') throw malformed();
  const common = { clientId, symbol: asset.coin, side: b ? 'buy' : 'sell', quantity: positive(item['s']), reduceOnly: r } as const;
  const price = positive(item['p']);
  if ('trigger' in kind) {
    const trigger = record(kind['trigger']);
    const type = TRIGGER_TYPES[`${String(trigger['tpsl'])} ${String(trigger['isMarket'])}`];
    if (type === undefined) throw malformed();
    const isMarket = trigger['isMarket'] === true;
    return { ...common, type, timeInForce: isMarket ? 'IOC' : 'GTC', price: isMarket ? null : price, postOnly: false, triggerPrice: positive(trigger['triggerPx']), triggerPriceType: 'mark' };
  }
  const { tif } = record(kind['limit']);
  if (tif !== 'Gtc' && tif !== 'Ioc' && tif !== 'Alo' && tif !== 'FrontendMarket') throw malformed();
  const rests = tif === 'Gtc' || tif === 'Alo';
  return { ...common, type: 'limit', timeInForce: rests ? 'GTC' : 'IOC', price, postOnly: tif === 'Alo' };
}

/** Who signed a request; null where that cannot be told. */
export function signerOfBody(body: unknown, network: Network): string | null {
  try {
    return signerOf(readBody(body), network);
  } catch (error) {
    if (error instanceof PaperError) return null;
    throw error;
  }
}

export function readBody(body: unknown): SignedBody {
  const { action, nonce, signature, vaultAddress = null, expiresAfter = null } = record(body);
  const { r, s, v } = record(signature);
  if (typeof r !== 'string' || typeof s !== 'string' || (v !== 27 && v !== 28)) throw malformed();
  if (expiresAfter !== null && typeof expiresAfter !== 'number') throw malformed();
  return { action: record(action), nonce: integer(nonce), signature: { r, s, v }, vaultAddress: vaultAddress === null ? null : readAddress(vaultAddress), expiresAfter };
}

export function record(value: unknown): Item {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw malformed();
  return value as Item;
}

export function integer(value: unknown): number {
  if (typeof value !== 'number' || !Number.isSafeInteger(value)) throw malformed();
  return value;
}

function positive(value: unknown): Decimal {
  if (typeof value !== 'string' || !isPlainDecimal(value)) throw malformed();
  const parsed = decimal(value);
  if (!parsed.greaterThan(0)) throw new PaperError('BAD_LOT', 'Order has zero size.');
  return parsed;
}

export function dexName(value: unknown): string {
  if (value === 'spot') return 'spot';
  if (!DEXES.some(({ name }) => name === value)) throw malformed();
  return value as string;
}
