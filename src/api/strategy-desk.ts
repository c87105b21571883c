/** Makes, edits and previews strategies: form, rules, account and market are checked here; nothing is placed here. */
import { randomUUID } from 'node:crypto';
import type { z } from 'zod';
import type { Account } from '../domain/account';
import { decimal, decimalText, maxOf, sum, ZERO, type Decimal } from '../domain/decimal';
import { DomainError } from '../domain/errors';
import type { Market } from '../domain/market';
import type { IdempotencyStamp } from '../domain/order';
import type { BestPrices, Strategy } from '../domain/strategy';
import type { NewStrategyWish } from './ports';
import { withFallbacks, type Parameters } from '../domain/strategies/form';
import { strategyNamed } from '../domain/strategies/registry';
import { parametersOfType, type strategyAmendmentSchema, type strategyPreviewSchema, type strategyRequestSchema } from '../schemas/strategies';
import type { Directory } from './directory';
import { assertEntriesPass } from './entries';
import { notFound } from './errors';
import { assertSameRequest, assertSameTerms, derivedClientOrderId } from './idempotency';
import { unprocessable } from './order-intent';
import type { ApiPorts } from './ports';
import { validationError } from './route';
import { differingStrategyFields } from './strategy-terms';

type Request = z.infer<typeof strategyRequestSchema>;
/** More legs of a preview than this help nobody. */
const SHOWN_LEGS = 100;

interface Judged {
  readonly account: Account;
  readonly market: Market;
  readonly parameters: Parameters;
  readonly quantity: string;
  readonly prices: BestPrices | null;
}

export class StrategyDesk {
  constructor(
    private readonly directory: Directory,
    private readonly ports: Pick<ApiPorts, 'strategies' | 'prices' | 'idempotency' | 'clock' | 'health'>,
  ) {}

  /** The strategy of that id or key, made now or before. */
  async create(request: Request, userId: string, stamp: IdempotencyStamp | null): Promise<Strategy> {
    if (stamp !== null) {
      const record = await this.ports.idempotency.find(userId, stamp.key);
      if (record !== null) {
        assertSameRequest(record, stamp);
        const made = record.orderId === null ? null : await this.ports.strategies.byId(record.orderId, userId);
        if (made !== null) return this.started(made);
      }
    }
    const clientStrategyId = request.clientStrategyId ?? (stamp === null ? null : derivedClientOrderId(userId, stamp.key, 0));
    if (clientStrategyId === null) throw validationError([{ path: 'body.clientStrategyId', message: 'needs a clientStrategyId, or the request an Idempotency-Key: without either a repeat could not be told from a second strategy' }]);
    const id = randomUUID();
    const { account, market, parameters, quantity } = await this.judge(id, request, userId);
    const startAt = timeOf(request.startAt);
    const expireAt = timeOf(request.expireAt);
    this.assertLater(expireAt, startAt);
    if (request.reduceOnly !== true) assertEntriesPass(this.ports.health, account.id);
    const wish: NewStrategyWish = {
      id, clientStrategyId, userId, accountId: account.id, venue: account.venue, symbol: market.symbol, venueSymbol: market.venueSymbol, type: request.type, side: request.side,
      quantity, reduceOnly: request.reduceOnly ?? false, parameters, startAt, expireAt, ownerWorkflowId: `strategy/${id}`,
    };
    const made = await this.ports.strategies.create(wish, stamp);
    if (made.id !== id) {
      const differs = await differingStrategyFields(wish, made, () => this.ports.strategies.timeline(made.id, made.userId));
      assertSameTerms({ what: 'strategy', idField: 'clientStrategyId', clientId: made.clientStrategyId, details: { strategyId: made.id } }, differs, request.clientStrategyId === undefined);
    }
    return this.started(made);
  }

  async amend(strategy: Strategy, revision: number, change: z.infer<typeof strategyAmendmentSchema>): Promise<Strategy> {
    const wanted = { ...strategy, quantity: change.quantity ?? strategy.quantity, parameters: { ...strategy.parameters, ...change.parameters } };
    const { parameters, quantity } = await this.judge(strategy.id, wanted, strategy.userId);
    const expireAt = change.expireAt === undefined ? strategy.expireAt : timeOf(change.expireAt);
    if (change.expireAt !== undefined) this.assertLater(expireAt, strategy.startAt);
    return this.ports.strategies.command(strategy.id, strategy.userId, { kind: 'amend', expectedRevision: revision, quantity, parameters, expireAt });
  }

  async preview(request: Request, userId: string): Promise<z.infer<typeof strategyPreviewSchema>> {
    const { market, parameters, quantity, prices } = await this.judge(PREVIEW_ID, request, userId);
    const preview = strategyNamed(request.type).preview({ id: PREVIEW_ID, side: request.side, quantity, parameters, rules: market, prices });
    const mark = prices?.mark ?? null;
    const priced = preview.legs.flatMap((leg) => {
      const price = leg.limitPrice ?? mark;
      return price === null ? [] : [{ value: decimal(leg.quantity).times(decimal(price)), rate: leg.postOnly ? market.makerFeeRate : market.takerFeeRate, beyond: beyondMark(request.side, price, mark).times(decimal(leg.quantity)) }];
    });
    const isPriced = priced.length === preview.legs.length;
    const total = (part: (leg: (typeof priced)[number]) => Decimal): Decimal | null => (isPriced ? sum(priced.map(part)) : null);
    const notional = total(({ value }) => value);
    const fee = total(({ value, rate }) => value.times(decimal(rate)));
    const cost = total(({ value, rate, beyond }) => value.times(decimal(rate)).plus(beyond));
    const text = (value: Decimal | null): string | null => (value === null ? null : decimalText(value.toDecimalPlaces(8)));
    return { children: preview.children, durationMs: preview.durationMs, notional: text(notional), fee: text(fee), cost: text(cost), legs: preview.legs.slice(0, SHOWN_LEGS).map((leg) => ({ ...leg })) };
  }

  /** Everything that can be known before it exists. Throws NOT_FOUND, VALIDATION and UNPROCESSABLE. */
  private async judge(id: string, asked: Pick<Request, 'accountId' | 'symbol' | 'type' | 'side' | 'quantity' | 'reduceOnly'> & { readonly parameters: Readonly<Record<string, unknown>> }, userId: string): Promise<Judged> {
    const account = await this.directory.account(asked.accountId, userId);
    if (account === null) throw notFound('account');
    const market = await this.directory.market(account.venue, asked.symbol);
    if (market === null) throw unprocessable('symbol', asked.symbol, `${account.venue} has no market ${asked.symbol}`);
    const can = this.directory.capabilities(account.venue);
    if (can === null) throw new DomainError('SERVICE_UNAVAILABLE', `venue ${account.venue} is not configured on this server`, { details: { venue: account.venue } });
    if (asked.reduceOnly === true && !can.reduceOnly) throw unprocessable('reduceOnly', true, `${account.venue} takes no reduce-only orders`);
    if (!can.timesInForce.includes('IOC') || !can.timesInForce.includes('GTC')) throw unprocessable('type', asked.type, `${account.venue} lacks a time in force that strategies need (GTC and IOC)`);
    const parsed = parametersOfType(asked.type).safeParse(asked.parameters);
    if (!parsed.success) throw validationError(parsed.error.issues.map((issue) => ({ path: ['body', 'parameters', ...issue.path.map(String)].join('.'), message: issue.message })));
    const definition = strategyNamed(asked.type);
    const parameters = withFallbacks(definition.form, parsed.data);
    if (parameters['postOnly'] === 'yes' && !can.postOnly) throw unprocessable('postOnly', 'yes', `${account.venue} takes no post-only orders`);
    if (asked.type === 'chase' && !can.postOnly) throw unprocessable('type', 'chase', `${account.venue} takes no post-only orders, which a chase rests with`);
    const quantity = decimalText(asked.quantity);
    if (!decimal(quantity).modulo(decimal(market.lot)).isZero()) throw unprocessable('quantity', quantity, `quantity ${quantity} of ${market.symbol} is not a multiple of the lot ${market.lot}`);
    const prices = this.pricesOf(market);
    const issues = definition.issues({ id, side: asked.side, quantity, parameters, rules: market, prices });
    const [first] = issues;
    if (first !== undefined) throw unprocessable(first.field, parameters[first.field] ?? quantity, `${first.field} ${first.message}`);
    return { account, market, parameters, quantity, prices };
  }

  /** An end that has passed would end it at once, with whatever is open. */
  private assertLater(expireAt: string | null, startAt: string | null): void {
    if (expireAt === null) return;
    const endMs = Date.parse(expireAt);
    if (endMs <= this.ports.clock.nowMs() || (startAt !== null && endMs <= Date.parse(startAt))) throw unprocessable('expireAt', expireAt, 'expireAt must be later than now and than startAt');
  }

  private pricesOf({ venue, symbol }: Market): BestPrices | null {
    const [aged] = this.ports.prices.latest(venue, [symbol]);
    return aged === undefined || aged.stale ? null : { bid: aged.ticker.bid, ask: aged.ticker.ask, mark: aged.ticker.mark };
  }

  /** Its workflow runs, also where the process that recorded it died before it could start it. */
  private async started(strategy: Strategy): Promise<Strategy> {
    if (strategy.endedAt === null) await this.ports.strategies.started(strategy);
    return strategy;
  }
}

/** What one unit may cost beyond the mark. */
function beyondMark(side: Request['side'], price: string, mark: string | null): Decimal {
  return mark === null ? ZERO : maxOf(decimal(price).minus(decimal(mark)).times(side === 'buy' ? 1 : -1), ZERO);
}

/** Previews of one request agree with each other. */
const PREVIEW_ID = '00000000-0000-4000-8000-000000000000';

function timeOf(text: string | null | undefined): string | null {
  return text === undefined || text === null ? null : new Date(Date.parse(text)).toISOString();
}
