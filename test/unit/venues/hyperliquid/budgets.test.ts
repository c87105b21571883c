import { describe, expect, test } from '@jest/globals';
import type { VenueCall, VenueCallName } from '../../../../src/venues/decorate';
import { AddressBudget, type AddressUsage } from '../../../../src/venues/hyperliquid/address-budget';
import { transferBody } from '../../../../src/venues/hyperliquid/collateral';
import { hyperliquidWeightOf } from '../../../../src/venues/hyperliquid/weights';

function budget(answers: readonly (AddressUsage | Error)[]) {
  let nowMs = 0;
  const asked: number[] = [];
  const errors: unknown[] = [];
  const made = new AddressBudget({
    nowMs: () => nowMs,
    read: () => {
      const answer = answers[Math.min(asked.length, answers.length - 1)];
      asked.push(nowMs);
      return answer instanceof Error ? Promise.reject(answer) : Promise.resolve(answer as AddressUsage);
    },
    onError: (error) => errors.push(error),
  });
  /** The question is answered in passing. */
  const wait = async (count: number): Promise<number> => {
    made.entryWaitMs(count);
    await new Promise(setImmediate);
    return made.entryWaitMs(count);
  };
  return { made, wait, asked, errors, at: (ms: number) => (nowMs = ms) };
}

describe('the requests the venue takes of an address', () => {
  test('entries stop at the last twentieth of them, which exits and cancels keep', async () => {
    const { made, wait } = budget([{ used: 9_400, cap: 10_000 }]);
    expect(await wait(100)).toBe(0);
    expect(await wait(101)).toBe(10_000);
    made.spent(99);
    expect(made.entryWaitMs(1)).toBe(0);
    expect(made.entryWaitMs(2)).toBe(10_000);
  });

  test('nothing is held back while the venue has not told, and a failed question is told and asked again later', async () => {
    const { wait, errors, asked, at } = budget([new Error('away'), { used: 10_000, cap: 10_000 }]);
    expect(await wait(1)).toBe(0);
    expect([errors.length, asked.length]).toEqual([1, 1]);
    at(5 * 60_000);
    expect(await wait(1)).toBe(10_000);
  });

  test('it is asked anew after many actions, and what went out meanwhile is counted once', async () => {
    const { made, wait, asked } = budget([{ used: 0, cap: 10_000 }, { used: 9_499, cap: 10_000 }]);
    await wait(1);
    made.spent(500);
    expect(await wait(1)).toBe(0);
    expect(asked).toHaveLength(2);
    expect(made.entryWaitMs(2)).toBe(10_000);
  });

  test('once the venue says that nothing is left, one entry may try in ten seconds', async () => {
    const { made, wait, at } = budget([{ used: 0, cap: 10_000 }]);
    expect(await wait(1)).toBe(0);
    made.exhausted();
    at(9_999);
    expect(made.entryWaitMs(1)).toBe(1);
    at(10_000);
    expect(made.entryWaitMs(1)).toBe(0);
  });
});

describe('request weights', () => {
  const call = (name: VenueCallName, more: Partial<VenueCall> = {}): VenueCall => ({ venue: 'hyperliquid', call: name, class: 'read', signal: new AbortController().signal, sendBeforeMs: null, request: null, ...more });
  const sent = (kind: 'place' | 'cancel', orders: number): VenueCall => call('send', { request: { kind, bytes: JSON.stringify({ orders: Array.from({ length: orders }, () => ({ venueSymbol: 'BTC' })) }), nonce: '1', venueDeadlineMs: null } });

  test.each<[VenueCall, number, number]>([
    [sent('place', 1), 0, 1],
    [sent('place', 39), 0, 1],
    [sent('place', 40), 0, 2],
    [sent('cancel', 3), 0, 7],
    [call('openOrders'), 0, 20],
    [call('openOrders'), 2, 60],
    [call('positions'), 2, 6],
    [call('balances'), 1, 64],
    [call('findOrder'), 2, 2],
    [call('closedOrders'), 2, 20],
    [call('checkCredentials'), 0, 61],
  ])('%j over %i dexes weighs %i', (asked, dexes, weight) => {
    expect(hyperliquidWeightOf(dexes)(asked)).toBe(weight);
  });
});

describe('collateral between dexes', () => {
  const owner = `0x${'a'.repeat(40)}` as const;
  const signer = { venue: 'hyperliquid', privateKey: new Uint8Array(32).fill(7), network: 'testnet', vaultAddress: null } as const;
  const transfer = { fromPool: '', toPool: 'xyz', asset: 'USDC', amount: '5.50' };
  const SIGNED = { token: 'USDC:0x1', nonce: '7', expiresAfterMs: 10_007 };

  test('an agent signs an action that names the account itself', () => {
    const body: unknown = JSON.parse(transferBody(signer, { agent: `0x${'b'.repeat(40)}`, owner }, transfer, SIGNED).body);
    expect(body).toMatchObject({ action: { type: 'agentSendAsset', destination: owner, sourceDex: '', destinationDex: 'xyz', token: 'USDC:0x1', amount: '5.5', fromSubAccount: '', nonce: 7 }, nonce: 7, vaultAddress: null, expiresAfter: 10_007 });
  });

  test('the account\'s own key signs as a user', () => {
    const made = transferBody(signer, { agent: owner, owner }, transfer, SIGNED);
    // What a user signs has no deadline at the venue.
    expect(made.expiresAfterMs).toBeNull();
    expect(JSON.parse(made.body)).toMatchObject({ action: { type: 'sendAsset', hyperliquidChain: 'Testnet', destination: owner, amount: '5.5' } });
  });

  test.each([['', ''], ['xyz', 'XYZ'], ['a:b', '']])('from %j to %j is no transfer', (fromPool, toPool) => {
    expect(() => transferBody(signer, { agent: owner, owner }, { ...transfer, fromPool, toPool }, SIGNED)).toThrow('between two of');
  });
});
