/** What Hyperliquid itself keeps and does: orders that hang together, collateral that moves, and its dead-man switch. */
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { collateralScenarios } from '../support/collateral-scenarios';
import { groupScenarios } from '../support/group-scenarios';
import { startHyperliquidStack, type HyperliquidStack } from '../support/hyperliquid-stack';

const PRICE = 97_000;

let hl: HyperliquidStack;
beforeAll(async () => {
  hl = await startHyperliquidStack({ workers: 1, environment: { SUREFILL_HYPERLIQUID_DEXES: 'xyz' } });
  // The dex margins itself: what it has is made by hand, as a transfer would.
  await hl.sim.call('POST', '/__sim/credit', { account: `${hl.address}@xyz`, asset: 'USDC', amount: '100000' });
}, 180_000);
afterAll(() => hl.stop());
afterEach(() => hl.sim.clearFaults());

const client = () => hl.stack.client;

describe('orders that the venue keeps together', () => groupScenarios(() => hl));

collateralScenarios(() => hl);

test('the dead-man switch is the venue\'s own: with every worker of ours dead, silence cancels what is open', async () => {
  const before = (await hl.atVenue()).length;
  const { id } = await client().untilState((await hl.passes(PRICE)).id, 'WORKING');
  await hl.killWorkers();
  const cancels = await hl.posted('cancelByCloid');
  const { status, body } = await client().call<{ venue: { supported: boolean; armed: boolean } }>('POST', '/api/v1/heartbeat', { accountId: hl.accountId, timeoutMs: 6_000 });
  expect([status, body.venue]).toMatchObject([200, { supported: true, armed: true }]);
  await client().until('the venue to cancel it', async () => ((await hl.atVenue())[before]?.status === 'canceled' ? true : null));
  expect(await hl.posted('cancelByCloid')).toBe(cancels);
  await hl.startWorkers();
  await client().untilState(id, 'CANCELED');
  await hl.settled();
}, 120_000);
