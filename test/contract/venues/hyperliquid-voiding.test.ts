/** Using up the nonce of a request that may have left: at the simulated Hyperliquid, what it proves is so, whatever was lost, hidden or skewed. */
import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import type { PlaceRequest, SignedRequest, Venue } from '../../../src/domain/venue';
import { VenueError } from '../../../src/domain/venue-errors';
import { startPaperSimulator, type StartedSimulator } from '../../../src/simulator';
import { addressOf } from '../../../src/venues/ecdsa';
import { HyperliquidVenue } from '../../../src/venues/hyperliquid/venue';
import { SimulatorControl } from '../../support/simulator-control';
import { freshNonce } from './hyperliquid-caller';
import { reading } from './harness';

const PRICE = '97000';
const ORDER = { path: '/exchange/order' } as const;
const HOUR_MS = 3_600_000;

let simulator: StartedSimulator;
let sim: SimulatorControl;
let address: string;
let agentKey: string;
const opened: Venue[] = [];
beforeAll(async () => {
  simulator = await startPaperSimulator({ venue: 'hyperliquid', weightPerMinute: 1_000_000, switchVolume: 1_000_000, tickMs: 0 });
  sim = new SimulatorControl(simulator.url);
  await sim.call('POST', '/__sim/prices', { symbol: 'BTC', price: PRICE });
});
afterAll(async () => {
  await Promise.all(opened.map((venue) => venue.close()));
  await simulator.close();
});
beforeEach(async () => {
  await sim.clearFaults();
  address = `0x${randomBytes(20).toString('hex')}`;
  agentKey = await agent();
});

/** Another key that may trade for the account. */
async function agent(): Promise<string> {
  const key = randomBytes(32).toString('hex');
  await sim.call('POST', '/__sim/accounts', { account: address, key: addressOf(Buffer.from(key, 'hex')), collateral: '100000' });
  return key;
}

async function account(key = agentKey, skewMs = 0) {
  const nowMs = (): number => Date.now() + skewMs;
  const venue = new HyperliquidVenue({ name: 'hyperliquid', httpUrl: simulator.url, wsUrl: simulator.url.replace('http', 'ws'), options: {}, clock: { nowMs } });
  opened.push(venue);
  await venue.prepare(reading());
  const session = venue.session({ agentKey: key, address });
  const cloid = randomBytes(16).toString('hex');
  const order: PlaceRequest = { venueClientId: cloid, venueSymbol: 'BTC', side: 'buy', type: 'limit', timeInForce: 'GTC', quantity: '0.01', limitPrice: '90000', postOnly: false, reduceOnly: false };
  return {
    prepared: async (changes: Partial<PlaceRequest> = {}): Promise<SignedRequest> => {
      const venueTimeMs = await venue.venueTimeMs(reading());
      return session.preparePlace([{ ...order, ...changes }], { nonce: String(freshNonce() + skewMs), venueDeadlineMs: venueTimeMs, venueTimeMs });
    },
    send: (request: SignedRequest) => session.send(request, { maySend: () => Promise.resolve(true), sendBeforeMs: nowMs() + 5_000, signal: AbortSignal.timeout(10_000), priority: 'exit' }),
    voided: (request: SignedRequest) => session.voidNonce?.(request, { signal: AbortSignal.timeout(10_000), priority: 'exit' }),
    found: () => session.findOrder({ venueClientId: cloid, venueOrderId: null, venueSymbol: 'BTC' }, reading()),
  };
}

describe.each([['by the same clock', 0], ['by one an hour behind', -HOUR_MS], ['by one an hour ahead', HOUR_MS]])('%s', (_how, skewMs) => {
  test('what never arrived can never take effect any more', async () => {
    const own = await account(agentKey, skewMs);
    const request = await own.prepared();
    expect(await own.voided(request)).toBe(true);
    expect(await own.send(request)).toMatchObject({ items: [{ kind: 'refused', code: 'duplicateClientId' }] });
    expect(await own.found()).toBeNull();
    // Those that take its place do.
    await own.send(await own.prepared());
    expect(await own.found()).toMatchObject({ status: 'open' });
  });

  test('what was taken and whose answer was lost is never called void, hidden as it may be', async () => {
    const own = await account(agentKey, skewMs);
    await sim.fault({ kind: 'hide', count: 1, durationMs: 60_000 });
    await sim.fault({ kind: 'dropResponse', count: 1, match: ORDER });
    const request = await own.prepared();
    await expect(own.send(request)).rejects.toBeInstanceOf(VenueError);
    expect([await own.found(), await own.voided(request), await own.voided(request)]).toEqual([null, false, false]);
  });
});

test('what the venue refused has used its nonce up: nothing is proven by that', async () => {
  const own = await account();
  const request = await own.prepared({ quantity: '500' });
  expect(await own.send(request)).toMatchObject({ items: [{ kind: 'refused' }] });
  expect(await own.voided(request)).toBe(false);
});

test('of two that send at the same moment one has the nonce, and what is said of the order is so', async () => {
  for (let round = 0; round < 20; round += 1) {
    const own = await account();
    const request = await own.prepared();
    const [isVoid] = await Promise.all([own.voided(request), own.send(request)]);
    expect((await own.found()) === null).toBe(isVoid);
  }
});

test('a nonce of another key is left alone: it would be free, whatever became of the request', async () => {
  const [own, other] = [await account(), await account(await agent())];
  const request = await own.prepared();
  await own.send(request);
  const before = (await sim.requests('/exchange/noop')).length;
  expect([await other.voided(request), (await sim.requests('/exchange/noop')).length]).toEqual([false, before]);
});

test('a request that was refused before anything was signed has none', async () => {
  const own = await account();
  expect(await own.voided(await own.prepared({ limitPrice: '90000.55' }))).toBe(false);
});

test('an answer that nobody hears is none', async () => {
  const own = await account();
  const request = await own.prepared();
  await sim.fault({ kind: 'dropResponse', count: 1, match: { path: '/exchange/noop' } });
  await expect(own.voided(request)).rejects.toBeInstanceOf(VenueError);
  expect(await own.voided(request)).toBe(false);
});
