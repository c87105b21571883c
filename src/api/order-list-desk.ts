/** Makes and edits order lists: accounts, markets, grids and how the legs hang together are checked here; nothing is placed here. */
import { randomUUID } from 'node:crypto';
import type { z } from 'zod';
import { decimalText } from '../domain/decimal';
import { UNCONDITIONAL, type IdempotencyStamp } from '../domain/order';
import { isStopLeg } from '../domain/list-stops';
import { NATIVE_STOP_TYPES, NEW_LEG, type LegRole, type LegTerms, type OrderList, type OrderListLeg } from '../domain/order-list';
import type { LegAmendment } from '../domain/order-list-commands';
import type { LegRequest, orderListAmendmentSchema, OrderListRequest } from '../schemas/order-lists';
import type { Directory } from './directory';
import { assertEntriesPass } from './entries';
import { notFound } from './errors';
import { assertSameRequest, assertSameTerms, derivedClientOrderId } from './idempotency';
import { assertOnTick } from './order-conditions';
import { onGrid, unprocessable, type IntentMaker } from './order-intent';
import { legProblem, rolesOf, sidesOf } from './order-list-rules';
import { differingListFields } from './order-list-terms';
import type { OrderTerms } from './order-terms';
import type { NewOrderListWish } from './order-list-ports';
import type { ApiPorts } from './ports';
import { validationError } from './route';

/** A list without its names. */
export type PlannedTerms = Omit<NewOrderListWish, 'id' | 'clientListId' | 'ownerWorkflowId'>;

export class OrderListDesk {
  constructor(
    private readonly directory: Directory,
    private readonly intents: IntentMaker,
    private readonly ports: Pick<ApiPorts, 'orderLists' | 'idempotency' | 'clock' | 'health'>,
  ) {}

  /** The list of that id or key, made now or before. */
  async create(request: OrderListRequest, userId: string, stamp: IdempotencyStamp | null): Promise<OrderList> {
    if (stamp !== null) {
      const record = await this.ports.idempotency.find(userId, stamp.key);
      if (record !== null) {
        assertSameRequest(record, stamp);
        const made = record.orderId === null ? null : await this.ports.orderLists.byId(record.orderId, userId);
        if (made !== null) return this.started(made);
      }
    }
    const clientListId = request.clientListId ?? (stamp === null ? null : derivedClientOrderId(userId, stamp.key, 0));
    if (clientListId === null) throw validationError([{ path: 'body.clientListId', message: 'needs a clientListId, or the request an Idempotency-Key: without either a repeat could not be told from a second list' }]);
    const terms = await this.plan(request, userId);
    for (const leg of terms.legs) if (!leg.reduceOnly) assertEntriesPass(this.ports.health, leg.accountId);
    const id = randomUUID();
    const wish: NewOrderListWish = { ...terms, id, clientListId, ownerWorkflowId: `order-list/${id}` };
    const made = await this.ports.orderLists.create(wish, stamp);
    if (made.id !== id) {
      const differs = await differingListFields(wish, made, () => this.ports.orderLists.timeline(made.id, made.userId));
      assertSameTerms({ what: 'list', idField: 'clientListId', clientId: made.clientListId, details: { orderListId: made.id } }, differs, request.clientListId === undefined);
    }
    return this.started(made);
  }

  /** Checked and on its markets' grids; made by whoever gives it its names. */
  async plan(request: Omit<OrderListRequest, 'clientListId'>, userId: string): Promise<PlannedTerms> {
    const roles = rolesOf(request);
    const sides = sidesOf(request, roles);
    const account = await this.directory.account(request.accountId, userId);
    if (account === null) throw notFound('account');
    const legs = await Promise.all(request.legs.map((leg, n) => this.legOf(request, leg, { n, role: at(roles, n), side: at(sides, n), userId })));
    const problem = legProblem(request, legs);
    if (problem !== null) throw unprocessable(problem.field, problem.value, problem.message);
    const expireTime = this.expiry(request.expireTime ?? null);
    const symbol = (await this.directory.market(account.venue, request.symbol))?.symbol;
    if (symbol === undefined) throw unprocessable('symbol', request.symbol, `${account.venue} has no market ${request.symbol}`);
    return { userId, accountId: account.id, venue: account.venue, symbol, type: request.type, legs, expireTime, timeLimitMs: request.timeLimitMs ?? null, breakEvenAfter: request.breakEvenAfter ?? null };
  }

  async amend(list: OrderList, revision: number, change: z.infer<typeof orderListAmendmentSchema>): Promise<OrderList> {
    const wanted = change.legs ?? [];
    if (new Set(wanted.map(({ n }) => n)).size < wanted.length) throw validationError([{ path: 'body.legs', message: 'must name each leg once' }]);
    const legs = await Promise.all(wanted.map((leg) => this.amendmentOf(list, leg)));
    const after = list.legs.map((leg) => ({ ...leg, ...legs.find(({ n }) => n === leg.n) }));
    const problem = legProblem(list, after);
    if (problem !== null) throw unprocessable(problem.field, problem.value, problem.message);
    const expireTime = change.expireTime === undefined ? {} : { expireTime: this.expiry(change.expireTime) };
    return this.ports.orderLists.command(list.id, list.userId, { kind: 'amend', expectedRevision: revision, legs, ...expireTime });
  }

  /** Canonical and on its market's grid, as an order of the same terms would be. */
  private async legOf(list: OrderListRequest, asked: LegRequest, { n, role, side, userId }: { readonly n: number; readonly role: LegRole; readonly side: 'buy' | 'sell'; readonly userId: string }): Promise<OrderListLeg> {
    const entry = list.legs[0];
    const isOwnExit = role === 'takeProfit' || role === 'stop' || (list.type === 'OTO' && n > 0 && side !== entry?.side && asked.accountId === entry?.accountId && asked.symbol === entry?.symbol);
    if (isOwnExit && asked.reduceOnly === false) throw unprocessable('reduceOnly', false, `leg ${n} is an exit of what the entry fills: it cannot be anything but reduce-only`);
    const quantity = asked.quantity ?? (role === 'stop' ? entry?.quantity : undefined);
    if (quantity === undefined) throw unprocessable(`legs.${n}.quantity`, null, `leg ${n} needs a quantity`);
    const isConditional = asked.triggerPrice !== undefined || asked.trailingOffset !== undefined;
    const text = (value: string | undefined): string | null => (value === undefined ? null : decimalText(value));
    const terms: OrderTerms = {
      accountId: asked.accountId ?? list.accountId, clientOrderId: null, symbol: asked.symbol ?? list.symbol, side, type: asked.type, quantity: decimalText(quantity), limitPrice: text(asked.limitPrice),
      timeInForce: asked.type === 'market' ? 'IOC' : (asked.timeInForce ?? 'GTC'), postOnly: asked.postOnly ?? false, reduceOnly: isOwnExit || (asked.reduceOnly ?? list.type === 'OUO'),
      ...(isConditional
        ? { condition: { ...UNCONDITIONAL, execution: asked.execution ?? 'durable', triggerPrice: text(asked.triggerPrice), triggerPriceType: asked.triggerPriceType ?? null, trailingOffset: text(asked.trailingOffset), trailingOffsetType: asked.trailingOffsetType ?? null, activationPrice: text(asked.activationPrice), gapPolicy: asked.gapPolicy ?? null, escalation: asked.escalation ?? null } }
        : {}),
    };
    const made = await this.intents.make(terms, { userId, clientOrderId: `leg-${n}`, stamp: null });
    const { triggerPrice, triggerPriceType, trailingOffset, trailingOffsetType, activationPrice, gapPolicy, escalation } = made.condition ?? UNCONDITIONAL;
    const execution = made.condition === undefined ? null : asked.execution ?? 'durable';
    if (asked.execution === 'both' && !(isStopLeg(made) && NATIVE_STOP_TYPES.some((type) => type === made.type))) throw unprocessable(`legs.${n}.execution`, 'both', `leg ${n} has no native stop: execution both is for a reduce-only ${NATIVE_STOP_TYPES.join(' or ')}, and no venue trails a stop by itself; use durable`);
    const legTerms: LegTerms = {
      role, accountId: made.accountId, venue: made.venue, symbol: made.symbol, venueSymbol: made.venueSymbol, side, type: made.type, timeInForce: made.timeInForce, quantity: made.quantity, limitPrice: made.limitPrice,
      postOnly: made.postOnly, reduceOnly: made.reduceOnly, triggerPrice, triggerPriceType, trailingOffset, trailingOffsetType, activationPrice, gapPolicy, escalation, execution,
    };
    return { ...NEW_LEG, ...legTerms, n };
  }

  private async amendmentOf(list: OrderList, { n, ...asked }: LegAmendment): Promise<LegAmendment> {
    const leg = list.legs[n];
    if (leg === undefined) throw unprocessable('legs', n, `the list has no leg ${n}; its legs are 0 to ${list.legs.length - 1}`);
    const market = await this.directory.market(leg.venue, leg.symbol);
    if (market === null) throw notFound('market');
    for (const field of ['limitPrice', 'triggerPrice', 'trailingOffset', 'activationPrice'] as const) {
      if (asked[field] !== undefined && leg[field] === null && !(field === 'activationPrice' && leg.trailingOffset !== null)) throw unprocessable(field, asked[field], `leg ${n} has no ${field} to amend`);
    }
    if (asked.quantity !== undefined && leg.role === 'stop') throw unprocessable('quantity', asked.quantity, `leg ${n} guards whatever is held: it has no quantity to amend`);
    onGrid(market, { quantity: asked.quantity ?? leg.quantity, limitPrice: asked.limitPrice ?? leg.limitPrice, reduceOnly: leg.reduceOnly }, null);
    assertOnTick(market, 'triggerPrice', asked.triggerPrice ?? null);
    return { n, ...(Object.fromEntries(Object.entries(asked).map(([field, value]) => [field, decimalText(value)])) as Omit<LegAmendment, 'n'>) };
  }

  private expiry(time: string | null): string | null {
    if (time === null) return null;
    if (Date.parse(time) <= this.ports.clock.nowMs()) throw unprocessable('expireTime', time, 'expireTime must be later than now');
    return new Date(Date.parse(time)).toISOString();
  }

  /** Its workflow runs, also where the process that recorded it died before it could start it. */
  private async started(list: OrderList): Promise<OrderList> {
    if (list.endedAt === null) await this.ports.orderLists.started(list);
    return list;
  }
}

function at<T>(values: readonly T[], n: number): T {
  const value = values[n];
  if (value === undefined) throw new RangeError(`no leg ${n}`);
  return value;
}
