/** A whole stack that trades on a simulated Hyperliquid, with one account and its agent wallet. */
import { expect } from '@jest/globals';
import { randomBytes, randomUUID } from 'node:crypto';
import { startPaperSimulator, type StartedSimulator } from '../../src/simulator';
import { addressOf } from '../../src/venues/ecdsa';
import type { ApiAnswer, ApiOrder, ErrorBody } from './api-client';
import { DURATION_SCALE } from './scale';
import { SimulatorControl, type SimulatedOrder } from './simulator-control';
import { startStack, WIDE_LIMITS, type Stack } from './stack';

type Terms = Readonly<Record<string, unknown>>;

export interface HyperliquidStack {
  readonly stack: Stack;
  readonly sim: SimulatorControl;
  readonly accountId: string;
  /** The user's address at the venue, and its agent's. */
  readonly address: string;
  readonly agent: string;
  /** Tries to add another account. */
  add(credentials: Readonly<Record<string, string>>): Promise<ApiAnswer<{ id: string } & Partial<ErrorBody>>>;
  /** One request for an order, far below the price unless it says otherwise. */
  place(change?: Terms, query?: string): Promise<ApiAnswer<ApiOrder & ErrorBody>>;
  /** The same, repeated with the same id while nobody can say yet what became of it, as a caller is told to. */
  placed(change?: Terms): Promise<ApiOrder>;
  /**
   * An order that passes once what the last scenario left has ended: an entry may be refused meanwhile, with nothing done. The
   * market stands still here, so its price is told again: beside a held position an entry needs one to be valued by.
   */
  passes(price: number, change?: Terms): Promise<ApiOrder>;
  /** Every order the venue ever accepted of the account, in all dexes. */
  atVenue(): Promise<SimulatedOrder[]>;
  /** How many requests of this action reached the venue's door. */
  posted(action: string): Promise<number>;
  timeline(orderId: string): Promise<string>;
  killWorkers(): Promise<void>;
  startWorkers(): Promise<void>;
  /** Waits until nothing is in doubt, and each order of the venue is one of ours in the same state with the same filled quantity. */
  settled(): Promise<void>;
  stop(): Promise<void>;
}

/** Whose outcome is still open. */
const IN_DOUBT: ReadonlySet<string> = new Set(['PENDING_RISK', 'SUBMITTING', 'SUBMITTED', 'UNKNOWN']);
const AT_VENUE: Readonly<Record<string, SimulatedOrder['status']>> = { WORKING: 'open', PARTIALLY_FILLED: 'open', FILLED: 'filled', CANCELED: 'canceled', EXPIRED: 'canceled' };

/** An audit weighs 150 of the venue's 1,200 a minute: where time runs ten times as fast, so does what may be asked for. */
const FAST: Readonly<Record<string, string>> = DURATION_SCALE === '1' ? {} : { SUREFILL_AUDIT_POLL_MS: '20000', SUREFILL_HYPERLIQUID_WEIGHT_PER_MINUTE: '100000' };

export async function startHyperliquidStack(options: { readonly workers: number; readonly environment?: Readonly<Record<string, string>> }): Promise<HyperliquidStack> {
  const simulator: StartedSimulator = await startPaperSimulator({ venue: 'hyperliquid', weightPerMinute: 1_000_000, tickMs: 0 });
  const sim = new SimulatorControl(simulator.url);
  const [agentKey, address] = [randomBytes(32).toString('hex'), `0x${randomBytes(20).toString('hex')}`];
  const agent = addressOf(Buffer.from(agentKey, 'hex'));
  await sim.call('POST', '/__sim/accounts', { account: address, key: agent, collateral: '1000000' });
  const stack = await startStack({
    workers: options.workers,
    environment: { SUREFILL_VENUES: 'paper,hyperliquid', SUREFILL_HYPERLIQUID_HTTP_URL: simulator.url, SUREFILL_HYPERLIQUID_WS_URL: simulator.url.replace('http', 'ws'), ...FAST, ...options.environment },
  });
  const { client } = stack;
  const add: HyperliquidStack['add'] = (credentials) => client.call('POST', '/api/v1/accounts', { name: `hl-${randomUUID().slice(0, 8)}`, venue: 'hyperliquid', credentials, limits: WIDE_LIMITS });
  const made = await add({ agentKey, address });
  if (made.status !== 201) throw new Error(`no account on hyperliquid: ${JSON.stringify(made.body)}`);
  const accountId = made.body.id;
  await client.balanceKnown(accountId);
  const place: HyperliquidStack['place'] = (change = {}, query = '') =>
    client.place({ accountId, clientOrderId: randomUUID(), symbol: 'BTC-PERP', side: 'buy', type: 'limit', quantity: '0.001', limitPrice: '48500', ...change }, {}, query);
  const atVenue = async (): Promise<SimulatedOrder[]> => (await sim.orders()).filter((order) => order.account.split('@')[0] === address);
  const ours = async (): Promise<ApiOrder[]> => client.orders(`status=all&accountId=${accountId}`);
  return {
    stack, sim, accountId, address, agent, add, place, atVenue,
    placed: async (change = {}) => {
      const terms = { clientOrderId: randomUUID(), ...change };
      const { status, body } = await client.until(`an answer about ${JSON.stringify(terms)}`, async () => {
        const answer = await place(terms);
        return answer.status < 500 ? answer : null;
      });
      if (status !== 201 && status !== 202) throw new Error(`POST /orders answered ${status}: ${JSON.stringify(body)}`);
      return body;
    },
    passes: async (price, change = {}) => {
      let refusal: unknown = null;
      try {
        return await client.until('an entry to pass', async () => {
          await sim.price('BTC', String(price));
          const answer = await place({ ...change, clientOrderId: randomUUID() });
          refusal = answer.body;
          return answer.status === 201 || answer.status === 202 ? answer.body : null;
        });
      } catch (error) {
        throw new Error(`no entry passed: ${JSON.stringify(refusal)}`, { cause: error });
      }
    },
    posted: async (action) => (await sim.requests(`/exchange/${action}`)).length,
    timeline: async (orderId) => JSON.stringify((await client.call('GET', `/api/v1/orders/${orderId}/timeline`)).body),
    killWorkers: async () => void (await Promise.all(stack.workers.map((worker) => worker.kill('SIGKILL')))),
    startWorkers: async () => void (await Promise.all(stack.workers.map((worker) => worker.start()))),
    settled: async () => {
      await client.until('our orders to equal the venue\'s', async () => {
        const orders = await ours();
        if (orders.some(({ state, pendingCancel, pendingReplace }) => IN_DOUBT.has(state) || pendingCancel || pendingReplace)) return null;
        const known = orders.filter(({ state, venueOrderId }) => venueOrderId !== null && AT_VENUE[state] !== undefined);
        const shown = known.map(({ state, quantity, filledQuantity }) => `${AT_VENUE[state]} ${filledQuantity} of ${quantity}`).sort();
        const there = (await atVenue()).map(({ status, quantity, filledQuantity }) => `${status} ${filledQuantity} of ${quantity}`).sort();
        return String(shown) === String(there) ? true : null;
      });
      const orders = await ours();
      const venueIds = orders.flatMap(({ venueOrderId }) => venueOrderId ?? []);
      expect(new Set(venueIds).size).toBe(venueIds.length);
      expect(orders.filter(({ origin }) => origin === 'EXTERNAL')).toEqual([]);
    },
    stop: async () => {
      await stack.stop();
      await simulator.close();
    },
  };
}
