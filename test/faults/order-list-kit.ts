/** What the fault tests of order lists do and see: by the API as anyone would, and at the venue. */
import { expect } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import type { SimulatedOrder } from '../support/simulator-control';
import type { Stack } from '../support/stack';

interface ApiLeg {
  readonly state: string;
  readonly filledQuantity: string;
  readonly triggerPrice: string | null;
  readonly breakEvenPrice: string | null;
  readonly triggered: { readonly by: string; readonly level: string | null; readonly at: string } | null;
  readonly reason: string | null;
}

export interface ApiList {
  readonly id: string;
  readonly state: string;
  readonly reason: string | null;
  readonly closeAt: string | null;
  readonly entriesStopped: boolean;
  readonly revision: number;
  readonly legs: readonly ApiLeg[];
}

interface ShownPosition {
  readonly symbol: string;
  readonly quantity: string;
  readonly protection: string;
  readonly desiredStop: { readonly orderId: string; readonly orderListId: string | null; readonly leg: number | null; readonly triggerPrice: string | null; readonly execution: string | null } | null;
  readonly confirmedStop: { readonly orderId: string; readonly quantity: string; readonly triggerPrice: string | null } | null;
  readonly unprotectedMs: number;
}

/** Somebody else at the venue, who takes a part of what rests. */
export const OTHER = 'somebody-else';
/** Inside the spread of a price of 50,000: nobody's quantity is before it. */
export const INSIDE = '50001';
/** The other side of that spread. */
export const INSIDE_BID = '49999';
/** A limit that fills at once at a price of 50,000, whatever is known of that price. */
export const AT_ONCE = '50100';

export const micro = (quantity: string): number => Math.round(Number(quantity) * 1e6);
export const filled = (orders: readonly SimulatedOrder[]): number => orders.reduce((total, { filledQuantity }) => total + micro(filledQuantity), 0);

export class ListKit {
  constructor(private readonly stackOf: () => Stack) {}

  get stack(): Stack {
    return this.stackOf();
  }

  ask(type: string, legs: readonly object[], more: object = {}) {
    return this.stack.client.call<ApiList & { readonly error: { readonly code: string } }>('POST', '/api/v1/order-lists', { accountId: this.stack.accountId, clientListId: randomUUID(), type, symbol: 'BTC-PERP', legs, ...more });
  }

  async create(type: string, legs: readonly object[], more: object = {}): Promise<ApiList> {
    const answer = await this.ask(type, legs, more);
    expect([answer.status, answer.body.state]).toEqual([201, 'ACTIVE']);
    return answer.body;
  }

  async read(id: string): Promise<ApiList> {
    return (await this.stack.client.call<ApiList>('GET', `/api/v1/order-lists/${id}`)).body;
  }

  until(id: string, what: string, holds: (list: ApiList) => boolean): Promise<ApiList> {
    return this.stack.client.until(`the list to be ${what}`, async () => {
      const now = await this.read(id);
      return holds(now) ? now : null;
    });
  }

  completed(id: string): Promise<ApiList> {
    return this.until(id, 'completed', ({ state }) => state === 'COMPLETED');
  }

  async eventsOf(id: string): Promise<string[]> {
    return (await this.stack.client.call<{ events: { type: string }[] }>('GET', `/api/v1/order-lists/${id}/timeline`)).body.events.map(({ type }) => type);
  }

  async ordersOf(id: string) {
    return (await this.stack.client.call<{ orders: { orderId: string; leg: number; quantity: string; filledQuantity: string; state: string }[] }>('GET', `/api/v1/order-lists/${id}/timeline`)).body.orders;
  }

  async shown(accountId = this.stack.accountId): Promise<ShownPosition | undefined> {
    return (await this.stack.client.call<{ positions: ShownPosition[] }>('GET', `/api/v1/positions?accountId=${accountId}`)).body.positions.find(({ symbol }) => symbol === 'BTC-PERP');
  }

  async position(): Promise<string> {
    return (await this.shown())?.quantity ?? '0';
  }

  /** Ours that sell: everything but what somebody else has there. */
  async exits(): Promise<SimulatedOrder[]> {
    return (await this.stack.sim.orders()).filter((order) => order.side === 'sell' && order.account !== OTHER);
  }

  async sinceThen(before: readonly SimulatedOrder[]): Promise<SimulatedOrder[]> {
    return (await this.exits()).slice(before.length);
  }

  /** Takes what rests at the venue on the other side, at the price inside the spread. */
  bySomebody(quantity: string, side: 'buy' | 'sell' = 'buy') {
    return this.stack.sim.call('POST', '/__sim/external-order', { account: OTHER, clientId: randomUUID(), symbol: 'BTC-PERP', side, type: 'limit', timeInForce: 'IOC', price: side === 'buy' ? INSIDE : INSIDE_BID, quantity });
  }

  /** A long of 0.01, and nothing else. */
  async entered(): Promise<readonly SimulatedOrder[]> {
    const { client, sim, accountId } = this.stack;
    expect(micro(await this.position())).toBe(0);
    const { body } = await client.until('an entry', async () => {
      await sim.price('BTC-PERP', '50000');
      const answer = await client.place({ accountId, clientOrderId: randomUUID(), symbol: 'BTC-PERP', side: 'buy', type: 'market', quantity: '0.01' });
      return answer.status === 201 ? answer : null;
    });
    await client.untilState(body.id, 'FILLED');
    await client.until('the position', async () => (micro(await this.position()) === 10_000 ? true : null));
    return this.exits();
  }

  flat(): Promise<true> {
    return this.stack.client.until('a flat position', async () => (micro(await this.position()) === 0 ? true : null));
  }

  armedAndWorking(id: string): Promise<ApiList> {
    return this.until(id, 'working and armed', ({ legs }) => legs[0]?.state === 'WORKING' && legs[1]?.state === 'ARMED');
  }

  /** A kill switch of the account; `release` says that it is over. */
  async killSwitch(mode: 'halt' | 'flatten'): Promise<{ readonly id: string; release(): Promise<void> }> {
    const { client, accountId } = this.stack;
    const { body } = await client.call<{ id: string }>('POST', '/api/v1/kill-switch', { scope: 'account', accountId, mode });
    return { id: body.id, release: async () => expect((await client.call('POST', `/api/v1/kill-switch/${body.id}/release`)).status).toBe(200) };
  }
}
