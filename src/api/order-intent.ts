/** Makes an intent out of a caller's terms: account, market, what the venue can do, tick, lot and minimum. Sends nothing. */
import { randomUUID } from 'node:crypto';
import type { Account } from '../domain/account';
import { venueClientId } from '../domain/client-ids';
import { isoTime } from '../domain/clock';
import { DomainError } from '../domain/errors';
import { isHeld, type OrderCondition } from '../domain/condition';
import type { Market } from '../domain/market';
import type { GroupMembership, IdempotencyStamp, OrderIntent, OrderOrigin } from '../domain/order';
import { quantise, type QuantiseViolation } from '../domain/quantise';
import type { VenueCapabilities } from '../domain/venue';
import { sha256Hex } from './canonical-json';
import type { Directory } from './directory';
import { notFound } from './errors';
import { conditionFor } from './order-conditions';
import type { OrderTerms } from './order-terms';
import type { ApiPorts } from './ports';

export interface IntentContext {
  /** Of the order; absent: a new one. */
  readonly id?: string;
  readonly userId: string;
  readonly clientOrderId: string;
  readonly stamp: IdempotencyStamp | null;
  /** Absent: API. */
  readonly origin?: OrderOrigin;
  /** Where it must have left before the usual deadline. */
  readonly placeBefore?: string;
  /** Absent: it stands alone. */
  readonly group?: GroupMembership;
}

export class IntentMaker {
  constructor(
    private readonly directory: Directory,
    private readonly ports: Pick<ApiPorts, 'prices' | 'clock'>,
    private readonly placeDeadlineMs: number,
  ) {}

  /**
   * Throws NOT_FOUND for an account that is not the caller's, UNPROCESSABLE for what its venue cannot do and, with the
   * nearest valid values, for a price or quantity off its market's grid.
   */
  async make(terms: OrderTerms, context: IntentContext): Promise<OrderIntent> {
    const account = await this.directory.account(terms.accountId, context.userId);
    if (account === null) throw notFound('account');
    const market = await this.directory.market(account.venue, terms.symbol);
    if (market === null) throw unprocessable('symbol', terms.symbol, `${account.venue} has no market ${terms.symbol}; GET /api/v1/markets?venue=${account.venue} lists them`);
    const can = this.directory.capabilities(account.venue);
    if (can === null) throw new DomainError('SERVICE_UNAVAILABLE', `venue ${account.venue} is not configured on this server`, { details: { venue: account.venue } });
    if (context.group !== undefined) checkGrouping(context.group, account, can);
    const condition = terms.condition === undefined ? undefined : conditionFor(terms, terms.condition, can, market, this.ports.clock);
    checkVenue(sentTerms(terms, condition), account, market, can);
    const { quantity, limitPrice } = onGrid(market, terms, this.ports.prices.mark(market.venue, market.symbol));
    return {
      id: context.id ?? randomUUID(),
      userId: context.userId,
      accountId: account.id,
      signerId: account.signerId,
      clientOrderId: context.clientOrderId,
      venueClientId: venueClientId({ accountId: account.id, clientOrderId: context.clientOrderId, leg: 0, child: 0, revision: 0 }, sha256Hex),
      venue: account.venue,
      symbol: market.symbol,
      venueSymbol: market.venueSymbol,
      side: terms.side,
      type: terms.type,
      timeInForce: terms.timeInForce,
      quantity,
      limitPrice,
      postOnly: terms.postOnly,
      reduceOnly: terms.reduceOnly,
      origin: context.origin ?? 'API',
      placeBefore: isoTime(Math.min(this.ports.clock.nowMs() + this.placeDeadlineMs, context.placeBefore === undefined ? Infinity : Date.parse(context.placeBefore))),
      idempotency: context.stamp,
      ...(condition === undefined ? {} : { condition }),
      ...(context.group === undefined ? {} : { group: context.group }),
    };
  }
}

/** What of it the venue is told: of an order that waits in a workflow, its children. */
function sentTerms(terms: OrderTerms, condition: OrderCondition | undefined): OrderTerms {
  if (condition === undefined || !isHeld(condition)) return terms;
  const type = terms.type.toLowerCase().endsWith('market') ? 'market' : 'limit';
  return { ...terms, type, timeInForce: type === 'market' ? 'IOC' : terms.timeInForce === 'GTD' ? 'GTC' : terms.timeInForce };
}

function checkGrouping({ grouping }: GroupMembership, account: Account, { groupings = [], maxBatchSize }: VenueCapabilities): void {
  if (!groupings.includes(grouping)) throw unprocessable('grouping', grouping, `${account.venue} keeps no groups of orders of that kind; POST /api/v1/order-lists makes a bracket that Surefill keeps at every venue`);
  if (maxBatchSize < MOST_OF_A_GROUP) throw unprocessable('grouping', grouping, `${account.venue} takes ${maxBatchSize} orders at once, and a group is one request`);
}

/** An entry, a stop and a take-profit. */
const MOST_OF_A_GROUP = 3;

function checkVenue(terms: OrderTerms, account: Account, market: Market, can: VenueCapabilities): void {
  if (!can.orderTypes.includes(terms.type)) throw unprocessable('type', terms.type, `${account.venue} takes no ${terms.type} orders; it takes ${can.orderTypes.join(', ')}`);
  if (!can.timesInForce.includes(terms.timeInForce)) throw unprocessable('timeInForce', terms.timeInForce, `${account.venue} takes no ${terms.timeInForce} orders; it takes ${can.timesInForce.join(', ')}`);
  if (terms.postOnly && !can.postOnly) throw unprocessable('postOnly', true, `${account.venue} takes no post-only orders`);
  if (terms.reduceOnly && !can.reduceOnly) throw unprocessable('reduceOnly', true, `${account.venue} takes no reduce-only orders`);
  // An exit is let through: the venue decides whether it takes one outside its hours.
  if (market.status === 'closed' && !terms.reduceOnly) throw unprocessable('symbol', market.symbol, `${market.symbol} is closed now`);
}

/**
 * Canonical texts of values the market accepts. Throws UNPROCESSABLE with the nearest valid ones. Venues close what is held whatever it
 * is worth: an exit is not refused for its notional.
 */
export function onGrid(market: Market, { quantity, limitPrice, reduceOnly }: Pick<OrderTerms, 'quantity' | 'limitPrice' | 'reduceOnly'>, referencePrice: string | null): { readonly quantity: string; readonly limitPrice: string | null } {
  const verdict = quantise(reduceOnly ? { ...market, minNotional: '0' } : market, { quantity, limitPrice, referencePrice });
  if (verdict.kind === 'ok') return verdict;
  throw new DomainError('UNPROCESSABLE', verdict.violations.map((violation) => inWords(violation, market)).join('; '), {
    details: { symbol: market.symbol, violations: verdict.violations, tickRule: market.tickRule, lot: market.lot, minQuantity: market.minQuantity, minNotional: market.minNotional },
  });
}

const WORDS: Record<QuantiseViolation['code'], string> = {
  NOT_POSITIVE: 'is not above zero',
  OFF_TICK: 'is not on a price the market allows',
  OFF_LOT: 'is not a multiple of the lot',
  BELOW_MIN_QUANTITY: 'is below the minimum quantity',
  BELOW_MIN_NOTIONAL: 'is below the minimum notional',
};

function inWords(violation: QuantiseViolation, market: Market): string {
  return `${violation.field} ${violation.value} of ${market.symbol} ${WORDS[violation.code]}; nearest: ${violation.nearest.join(' or ')}`;
}

/** `nearest`: what would be taken, by field. */
export function unprocessable(field: string, value: unknown, message: string, nearest?: Readonly<Record<string, string>>): DomainError {
  return new DomainError('UNPROCESSABLE', message, { details: { field, value, ...(nearest === undefined ? {} : { nearest }) } });
}
