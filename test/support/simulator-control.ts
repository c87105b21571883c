/** The paper simulator's `/__sim`: what the venue accepted, what it was asked, and faults. */
import { randomUUID } from 'node:crypto';

export interface SimulatedOrder {
  readonly orderId: string;
  readonly clientId: string;
  readonly account: string;
  readonly symbol: string;
  readonly side: 'buy' | 'sell';
  readonly quantity: string;
  readonly filledQuantity: string;
  readonly price: string | null;
  readonly status: 'open' | 'filled' | 'canceled';
}

export interface SimulatedRequest {
  readonly id: number;
  readonly time: number;
  readonly method: string;
  readonly path: string;
  readonly clientIds: readonly string[];
  readonly status: number | null;
}

/** However slow the machine is, an order is not late. */
const WELL_AFTER_MS = 60_000;
/** A limit against hanging. */
const HIT_WAIT_MS = 60_000;

export class SimulatorControl {
  /** Control goes on answering here while the venue refuses connections. */
  private controlUrl: string | null = null;

  constructor(readonly url: string) {}

  /** Every order the venue ever accepted. */
  async orders(): Promise<SimulatedOrder[]> {
    return (await this.call<{ orders: SimulatedOrder[] }>('GET', '/__sim/orders')).orders;
  }

  async requests(path?: string): Promise<SimulatedRequest[]> {
    const query = path === undefined ? '' : `?path=${encodeURIComponent(path)}`;
    return (await this.call<{ requests: SimulatedRequest[] }>('GET', `/__sim/requests${query}`)).requests;
  }

  /** Arms a fault and returns its id. */
  async fault(fault: Readonly<Record<string, unknown>>): Promise<string> {
    return (await this.call<{ id: string }>('POST', '/__sim/faults', fault)).id;
  }

  async release(faultId: string): Promise<void> {
    await this.call('POST', `/__sim/faults/${faultId}/release`, {});
  }

  async clearFaults(): Promise<void> {
    await this.call('DELETE', '/__sim/faults');
  }

  async price(symbol: string, price: string): Promise<void> {
    await this.call('POST', '/__sim/prices', { symbol, price });
  }

  /** A market order of this key, past everything of ours. */
  async trade(key: string, symbol: string, side: 'buy' | 'sell', quantity: string): Promise<void> {
    const order = { clientId: randomUUID().replaceAll('-', ''), symbol, side, type: 'market', quantity, timeInForce: 'IOC' };
    const answer = await fetch(`${this.url}/orders`, { method: 'POST', headers: { 'x-paper-key': key, 'content-type': 'application/json' }, body: JSON.stringify({ expiresAt: Date.now() + WELL_AFTER_MS, orders: [order] }) });
    if (!answer.ok) throw new Error(`POST /orders answered ${answer.status}: ${await answer.text()}`);
  }

  async listen(up: boolean, forMs?: number): Promise<void> {
    await this.call('POST', '/__sim/listen', { up, ...(forMs === undefined ? {} : { forMs }) });
  }

  /** Waits until the fault was met `count` times. */
  async met(faultId: string, count = 1): Promise<void> {
    await this.call('GET', `/__sim/faults/${faultId}/hits?count=${count}&timeoutMs=${HIT_WAIT_MS}`);
  }

  private async findControlUrl(): Promise<string> {
    const state = (await (await fetch(`${this.url}/__sim/state`)).json()) as { controlUrl: string };
    return state.controlUrl;
  }

  async call<Answer = unknown>(method: string, path: string, body?: unknown): Promise<Answer> {
    this.controlUrl ??= await this.findControlUrl();
    const response = await fetch(`${this.controlUrl}${path}`, {
      method,
      ...(body === undefined ? {} : { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } }),
    });
    const text = await response.text();
    if (!response.ok) throw new Error(`${method} ${path} answered ${response.status}: ${text}`);
    return (text === '' ? {} : JSON.parse(text)) as Answer;
  }
}
