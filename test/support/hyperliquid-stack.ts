/** A whole stack that trades on a simulated Hyperliquid, with one account and its agent wallet. */
import { randomBytes, randomUUID } from 'node:crypto';
import { startPaperSimulator, type StartedSimulator } from '../../src/simulator';
import { addressOf } from '../../src/venues/ecdsa';
import type { ApiAnswer, ApiOrder, ErrorBody } from './api-client';
import { SimulatorControl, type SimulatedOrder } from './simulator-control';
import { startStack, WIDE_LIMITS, type Stack } from './stack';

export interface HyperliquidStack {
  readonly stack: Stack;
  readonly simulator: StartedSimulator;
  readonly sim: SimulatorControl;
  readonly accountId: string;
  /** The user's address at the venue, and its agent's. */
  readonly address: string;
  readonly agent: string;
  /** Tries to add another account. */
  add(credentials: Readonly<Record<string, string>>): Promise<ApiAnswer<{ id: string } & Partial<ErrorBody>>>;
  /** Far below the price unless it says otherwise. */
  place(change?: Readonly<Record<string, unknown>>, query?: string): Promise<ApiAnswer<ApiOrder & ErrorBody>>;
  /** Every order the venue ever accepted of the account, in all dexes. */
  atVenue(): Promise<SimulatedOrder[]>;
  stop(): Promise<void>;
}

export async function startHyperliquidStack(options: { readonly workers: number; readonly environment?: Readonly<Record<string, string>> }): Promise<HyperliquidStack> {
  const simulator = await startPaperSimulator({ venue: 'hyperliquid', weightPerMinute: 1_000_000, tickMs: 0 });
  const sim = new SimulatorControl(simulator.url);
  const [agentKey, address] = [randomBytes(32).toString('hex'), `0x${randomBytes(20).toString('hex')}`];
  const agent = addressOf(Buffer.from(agentKey, 'hex'));
  await sim.call('POST', '/__sim/accounts', { account: address, key: agent, collateral: '1000000' });
  const stack = await startStack({
    workers: options.workers,
    environment: { SUREFILL_VENUES: 'paper,hyperliquid', SUREFILL_HYPERLIQUID_HTTP_URL: simulator.url, SUREFILL_HYPERLIQUID_WS_URL: simulator.url.replace('http', 'ws'), ...options.environment },
  });
  const add: HyperliquidStack['add'] = (credentials) => stack.client.call('POST', '/api/v1/accounts', { name: `hl-${randomUUID().slice(0, 8)}`, venue: 'hyperliquid', credentials, limits: WIDE_LIMITS });
  const made = await add({ agentKey, address });
  if (made.status !== 201) throw new Error(`no account on hyperliquid: ${JSON.stringify(made.body)}`);
  const accountId = made.body.id;
  await stack.client.balanceKnown(accountId);
  return {
    stack, simulator, sim, accountId, address, agent, add,
    place: (change = {}, query = '') => stack.client.place({ accountId, clientOrderId: randomUUID(), symbol: 'BTC-PERP', side: 'buy', type: 'limit', quantity: '0.001', limitPrice: '48500', ...change }, {}, query),
    atVenue: async () => (await sim.orders()).filter((order) => order.account.split('@')[0] === address),
    stop: async () => {
      await stack.stop();
      await simulator.close();
    },
  };
}
