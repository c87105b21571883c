/** Speaks to a running API as any program would: HTTP and JSON, nothing of ours. */
import { setTimeout as delay } from 'node:timers/promises';

export interface ApiOrder {
  readonly id: string;
  readonly clientOrderId: string;
  readonly venueOrderId: string | null;
  readonly state: string;
  readonly reasonCode: string | null;
  readonly quantity: string;
  readonly filledQuantity: string;
  readonly leavesQuantity: string;
  readonly avgPrice: string | null;
  readonly limitPrice: string | null;
  readonly revision: number;
  readonly pendingCancel: boolean;
  readonly pendingReplace: boolean;
  readonly origin: string;
}

export interface ApiAnswer<Body> {
  readonly status: number;
  readonly headers: Headers;
  readonly body: Body;
}

export interface ErrorBody {
  readonly error: { readonly code: string; readonly message: string; readonly retryable: boolean; readonly outcome: string; readonly details: Record<string, unknown> };
}

/** How often a test asks again while it waits for a state it cannot be told of. */
const ASK_AGAIN_MS = 50;
/** A limit against hanging. */
const WAIT_LIMIT_MS = 60_000;

export class ApiClient {
  constructor(
    readonly url: string,
    readonly key: string,
  ) {}

  async call<Body = Record<string, unknown>>(method: string, path: string, body?: unknown, headers: Readonly<Record<string, string>> = {}): Promise<ApiAnswer<Body>> {
    const response = await fetch(`${this.url}${path}`, {
      method,
      headers: { authorization: `Bearer ${this.key}`, ...(body === undefined ? {} : { 'content-type': 'application/json' }), ...headers },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const text = await response.text();
    return { status: response.status, headers: response.headers, body: (text === '' ? {} : JSON.parse(text)) as Body };
  }

  place(body: Readonly<Record<string, unknown>>, headers: Readonly<Record<string, string>> = {}, query = ''): Promise<ApiAnswer<ApiOrder & ErrorBody>> {
    return this.call('POST', `/api/v1/orders${query}`, body, headers);
  }

  async order(id: string): Promise<ApiOrder> {
    return (await this.call<ApiOrder>('GET', `/api/v1/orders/${id}`)).body;
  }

  async orders(query: string): Promise<ApiOrder[]> {
    const found: ApiOrder[] = [];
    for (let cursor: string | null = ''; cursor !== null; ) {
      const page: ApiAnswer<{ orders: ApiOrder[]; nextCursor: string | null }> = await this.call('GET', `/api/v1/orders?limit=200&${query}${cursor === '' ? '' : `&cursor=${encodeURIComponent(cursor)}`}`);
      found.push(...page.body.orders);
      cursor = page.body.nextCursor;
    }
    return found;
  }

  async accountNamed(name: string): Promise<string> {
    const { body } = await this.call<{ accounts: { id: string; name: string }[] }>('GET', '/api/v1/accounts');
    const account = body.accounts.find((each) => each.name === name);
    if (account === undefined) throw new Error(`no account named ${name}`);
    return account.id;
  }

  /** Waits until the account's first balance was read from the venue. */
  async balanceKnown(accountId: string): Promise<void> {
    await this.until(`balances of ${accountId}`, async () => {
      const { body } = await this.call<{ balances: unknown[] }>('GET', `/api/v1/accounts/${accountId}/balances`);
      return body.balances.length > 0 ? true : null;
    });
  }

  /** After a start they wait until PostgreSQL was compared with Temporal. */
  async entriesPass(): Promise<void> {
    await this.until('entries to pass', async () => {
      const { body } = await this.call<{ entries: { status: string } }>('GET', '/readyz');
      return body.entries.status === 'open' ? true : null;
    });
  }

  /** Asks until `read` gives something. */
  async until<Value>(what: string, read: () => Promise<Value | null>, limitMs = WAIT_LIMIT_MS): Promise<Value> {
    const deadline = Date.now() + limitMs;
    for (;;) {
      let last: unknown = null;
      const value = await read().catch((error: unknown) => {
        last = error;
        return null;
      });
      if (value !== null) return value;
      if (Date.now() > deadline) throw new Error(`waited ${limitMs} ms in vain for ${what}`, { cause: last });
      await delay(ASK_AGAIN_MS);
    }
  }

  untilState(id: string, ...states: readonly string[]): Promise<ApiOrder> {
    return this.until(`order ${id} to be ${states.join(' or ')}`, async () => {
      const order = await this.order(id);
      return states.includes(order.state) ? order : null;
    });
  }
}
