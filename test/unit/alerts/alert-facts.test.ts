import { describe, expect, test } from '@jest/globals';
import { afterFact, dueAtMs, stepOf } from '../../../src/domain/alert-facts';
import type { AlertStep } from '../../../src/domain/alert-facts';
import { accountOf, at, AT_MS, eventOf, fill, ruleOf } from './alert-samples';

const told = (step: AlertStep | null): string | null => (step?.kind === 'raise' || step?.kind === 'wait' ? step.fact.title : (step?.kind ?? null));

describe('a rule of fills', () => {
  const rule = ruleOf({ kind: 'fill', parameters: { side: null, minNotional: null } });

  test('tells each fill with its worth', () => {
    const step = stepOf(rule, eventOf('fill.created', fill()), accountOf);
    expect(step).toMatchObject({ kind: 'raise', fact: { subject: 'fill/a1/BTC-PERP', title: 'Bought 0.02 BTC-PERP at 50000', accountId: 'a1', symbol: 'BTC-PERP' } });
    expect(step?.kind === 'raise' && step.fact.body).toBe('Account main at paper: worth 1000, fee 0.5 USDC.');
    expect(told(stepOf(rule, eventOf('fill.created', fill({ side: 'sell' })), accountOf))).toBe('Sold 0.02 BTC-PERP at 50000');
  });

  test.each([
    ['another side', ruleOf({ kind: 'fill', parameters: { side: 'sell', minNotional: null } }), fill()],
    ['less than it asks for', ruleOf({ kind: 'fill', parameters: { side: null, minNotional: '1000.01' } }), fill()],
    ['another symbol', ruleOf({ kind: 'fill', parameters: { side: null, minNotional: null } }, { symbols: ['ETH-PERP'] }), fill()],
    ['another account', ruleOf({ kind: 'fill', parameters: { side: null, minNotional: null } }, { accountIds: ['a2'] }), fill()],
    ['what happened before it', ruleOf({ kind: 'fill', parameters: { side: null, minNotional: null } }, { activeSince: at(AT_MS + 1) }), fill()],
  ])('is silent about %s', (_, narrow, data) => {
    expect(stepOf(narrow, eventOf('fill.created', data), accountOf)).toBeNull();
  });

  test('takes what is exactly worth the least it asks for, and nothing of an account that is gone', () => {
    const exact = ruleOf({ kind: 'fill', parameters: { side: 'buy', minNotional: '1000' } }, { symbols: ['BTC-PERP'], accountIds: ['a1'] });
    expect(told(stepOf(exact, eventOf('fill.created', fill()), accountOf))).toBe('Bought 0.02 BTC-PERP at 50000');
    expect(stepOf(rule, eventOf('fill.created', fill()), () => null)).toBeNull();
    expect(stepOf(rule, eventOf('account.alert', { kind: 'unprotected' }), accountOf)).toBeNull();
  });
});

describe('a rule of protection', () => {
  const rule = ruleOf({ kind: 'protection', parameters: {} });

  test.each(['unprotected', 'UNPROTECTED', 'exitNotFilled', 'noNativeStop', 'belowMinimum'])('tells %s', (kind) => {
    const step = stepOf(rule, eventOf('account.alert', { kind, symbol: 'BTC-PERP', words: 'the stop was refused' }), accountOf);
    expect(step).toMatchObject({ kind: 'raise', fact: { title: 'BTC-PERP is not protected as it should be', body: `Account main at paper: the stop was refused (${kind}).` } });
  });

  test('takes the reason where there are no words, and stands without a symbol', () => {
    const whole = stepOf(rule, eventOf('account.alert', { kind: 'unprotected', reason: 'too small' }), accountOf);
    expect(whole).toMatchObject({ fact: { title: 'A position is not protected as it should be', body: 'Account main at paper: too small (unprotected).' } });
    expect(told(stepOf(rule, eventOf('account.alert', { kind: 'unprotected' }), accountOf))).toBe('A position is not protected as it should be');
  });

  test('is silent about other alerts and other symbols', () => {
    expect(stepOf(rule, eventOf('account.alert', { kind: 'schemaDrift' }), accountOf)).toBeNull();
    expect(stepOf(rule, eventOf('account.alert', {}), accountOf)).toBeNull();
    const narrow = ruleOf({ kind: 'protection', parameters: {} }, { symbols: ['ETH-PERP'] });
    expect(stepOf(narrow, eventOf('account.alert', { kind: 'unprotected', symbol: 'BTC-PERP' }), accountOf)).toBeNull();
    expect(stepOf(narrow, eventOf('account.alert', { kind: 'unprotected' }), accountOf)).toBeNull();
    expect(stepOf(rule, eventOf('fill.created', fill()), accountOf)).toBeNull();
  });
});

test('a rule of deposits tells of money that no deposit claims', () => {
  const rule = ruleOf({ kind: 'depositStuck', parameters: { afterMinutes: 30 } });
  const transfer = { amount: '12.5', asset: 'USDC', txHash: '0xf1' };
  expect(stepOf(rule, eventOf('deposit.unclaimed', { transfer, why: '2 deposits wait for this token' }), accountOf)).toMatchObject({
    kind: 'raise',
    fact: { subject: 'unclaimed/0xf1', title: 'Money arrived that no deposit claims', body: '12.5 of USDC came in 0xf1 and lies in suspense (2 deposits wait for this token): an operator releases it.' },
  });
});

test('a rule of deposits tells an operator of a chain whose endpoints keep them all from being counted, and nothing of its end or of other alerts', () => {
  const rule = ruleOf({ kind: 'depositStuck', parameters: { afterMinutes: 30 } });
  const data = { chainId: 42161, chain: 'arbitrum', reason: 'the endpoints of arbitrum tell different things of block 7', since: '2026-01-31T12:00:00.000Z' };
  expect(stepOf(rule, eventOf('account.alert', { kind: 'chainStalled', ...data }), accountOf)).toMatchObject({
    kind: 'raise',
    fact: {
      subject: 'chain/arbitrum', title: 'No deposit that arrives on arbitrum is counted',
      body: 'Since 2026-01-31T12:00:00.000Z: the endpoints of arbitrum tell different things of block 7. What arrives is counted once its endpoints answer, and alike: look at SUREFILL_ARBITRUM_RPC_URLS.',
    },
  });
  for (const kind of ['chainResumed', 'schemaDrift']) expect(stepOf(rule, eventOf('account.alert', { kind, ...data }), accountOf)).toBeNull();
});

describe('a rule of losses', () => {
  const rule = ruleOf({ kind: 'loss', parameters: { amount: null } });

  test.each(['dailyLossLimit', 'drawdownLimit'])('tells that %s tripped', (kind) => {
    const step = stepOf(rule, eventOf('account.alert', { kind, status: 'REDUCING', reason: '500 lost today, of 400 allowed' }), accountOf);
    expect(step).toMatchObject({ kind: 'raise', fact: { subject: `${kind}/a1`, title: 'Account main is REDUCING: a loss limit was reached', body: 'At paper: 500 lost today, of 400 allowed.' } });
  });

  test('is silent about other alerts', () => {
    expect(stepOf(rule, eventOf('account.alert', { kind: 'streamGap' }), accountOf)).toBeNull();
    expect(stepOf(rule, eventOf('account.alert', {}), accountOf)).toBeNull();
    expect(stepOf(rule, eventOf('fill.created', fill()), accountOf)).toBeNull();
    expect(told(stepOf(rule, eventOf('account.alert', { kind: 'dailyLossLimit' }), accountOf))).toBe('Account main is restricted: a loss limit was reached');
  });
});

describe('a rule of venues that are down', () => {
  const rule = ruleOf({ kind: 'venueDown', parameters: { venue: 'paper', afterSeconds: 30 } });
  const gap = (accountId: string): ReturnType<typeof eventOf> => eventOf('account.alert', { kind: 'streamGap', reason: 'the socket closed', from: at(AT_MS - 1_000) }, { accountId });

  test('waits, and is at rest again once the account is in step', () => {
    expect(stepOf(rule, gap('a1'), accountOf)).toMatchObject({ kind: 'wait', key: 'gap/a1', dueAtMs: AT_MS + 30_000, fact: { subject: 'venue/paper', title: 'paper cannot be reached' } });
    expect(stepOf(rule, eventOf('account.alert', { kind: 'streamResynced' }), accountOf)).toEqual({ kind: 'clear', key: 'gap/a1' });
  });

  test('counts two accounts there as one subject', () => {
    const subjects = ['a1', 'a2'].map((id) => stepOf(rule, gap(id), accountOf)).map((step) => (step?.kind === 'wait' ? step.fact.subject : null));
    expect(subjects).toEqual(['venue/paper', 'venue/paper']);
  });

  test('is of the venue that it names, or of every one', () => {
    expect(stepOf(rule, gap('a3'), accountOf)).toBeNull();
    expect(told(stepOf(ruleOf({ kind: 'venueDown', parameters: { venue: null, afterSeconds: 1 } }), gap('a3'), accountOf))).toBe('hyperliquid cannot be reached');
    expect(stepOf(rule, eventOf('account.alert', { kind: 'keyRevoked' }), accountOf)).toBeNull();
    expect(stepOf(rule, eventOf('fill.created', fill()), accountOf)).toBeNull();
    const bare = stepOf(rule, eventOf('account.alert', { kind: 'streamGap', from: null }), accountOf);
    expect(bare?.kind === 'wait' && bare.fact.body).toBe(`Account main has not been in step with the venue since ${at(AT_MS)}: its stream is away.`);
  });
});

describe('a rule of deposits that are stuck', () => {
  const rule = ruleOf({ kind: 'depositStuck', parameters: { afterMinutes: 20 } });
  const deposit = (type: Parameters<typeof eventOf>[0], state: string, atMs = AT_MS): ReturnType<typeof eventOf> => eventOf(type, { deposit: { id: 'd1', state } }, { stream: 'user:u1', accountId: null, at: at(atMs) });

  test.each(['SOURCE_SUBMITTED', 'SOURCE_CONFIRMED', 'BRIDGING', 'DEST_SEEN', 'REFUND_PENDING'])('waits for the next step of one in %s, whichever step it was', (state) => {
    for (const type of ['deposit.updated', 'swap.updated'] as const) expect(stepOf(rule, deposit(type, state, AT_MS + 5), accountOf)).toMatchObject({ kind: 'wait', key: 'deposit/d1', dueAtMs: AT_MS + 5 + 20 * 60_000, fact: { title: `A deposit is stuck in ${state}` } });
  });

  test.each(['CREDITED', 'REFUNDED', 'FAILED', 'EXPIRED', 'CANCELED', 'CREATED', 'QUOTED', 'AWAITING_SIGNATURE'])('waits for nothing of one in %s', (state) => {
    expect(stepOf(rule, deposit('deposit.updated', state), accountOf)).toEqual({ kind: 'clear', key: 'deposit/d1' });
  });

  test('tells at once that a person has to look at it', () => {
    expect(stepOf(rule, deposit('deposit.reviewNeeded', 'MANUAL_REVIEW'), accountOf)).toMatchObject({ kind: 'raise', clears: 'deposit/d1', fact: { body: 'Deposit d1 waits for a person to look at it.' } });
  });

  test('tells at once of money that stays where it should not be, and what to do', () => {
    const held = eventOf('deposit.held', { deposit: { id: 'd1', state: 'CREDITED' }, reason: 'WALLET_NOT_OURS', advice: 'withdraw at the venue' }, { stream: 'user:u1', accountId: null });
    expect(stepOf(rule, held, accountOf)).toMatchObject({ kind: 'raise', fact: { subject: 'deposit/d1/held', title: expect.stringContaining('WALLET_NOT_OURS'), body: 'Deposit d1: withdraw at the venue.' } });
    const bare = stepOf(rule, eventOf('deposit.held', { deposit: { id: 'd1', state: 'CREDITED' } }), accountOf);
    expect(bare).toMatchObject({ kind: 'raise', fact: { data: { reason: '', advice: '' } } });
  });

  test('tells at once of a deposit that did not go on to its account, and of no other withdrawal', () => {
    const failed = (funding: object) => eventOf('withdrawal.failed', { withdrawal: { amount: '99', reason: 'OTHER_WALLET', ...funding } }, { stream: 'user:u1', accountId: null });
    expect(stepOf(rule, failed({ funding: { depositId: 'd1', accountId: 'a1' } }), accountOf)).toMatchObject({ kind: 'raise', fact: { subject: 'funding/d1', body: expect.stringContaining('99 USDC are in your wallet') } });
    for (const other of [{}, { funding: { depositId: 'd1' } }]) expect(stepOf(rule, failed(other), accountOf)).toBeNull();
  });

  test('is silent about what names no deposit', () => {
    expect(stepOf(rule, eventOf('deposit.updated', {}), accountOf)).toBeNull();
    expect(stepOf(rule, eventOf('deposit.updated', { deposit: { id: 'd1' } }), accountOf)).toBeNull();
    expect(stepOf(rule, eventOf('fill.created', fill()), accountOf)).toBeNull();
  });
});

test.each([
  ruleOf({ kind: 'price', parameters: { venue: 'paper', symbol: 'BTC-PERP', direction: 'atOrAbove', price: '1', priceType: 'last', repeats: false, rearmBps: 10 } }),
  ruleOf({ kind: 'liquidationDistance', parameters: { percent: '5' } }),
])('$kind is judged by prices, not by events', (rule) => {
  expect(stepOf(rule, eventOf('fill.created', fill()), accountOf)).toBeNull();
});

describe('when a channel hears of it', () => {
  const minute = 60_000;
  test.each([
    ['at once', { digestMinutes: null, snoozedUntil: null }, null, AT_MS],
    ['with the digest that it opens', { digestMinutes: 30, snoozedUntil: null }, null, AT_MS + 30 * minute],
    ['with the digest that is open', { digestMinutes: 30, snoozedUntil: null }, AT_MS + 7 * minute, AT_MS + 7 * minute],
    ['with a new digest where the last one has gone', { digestMinutes: 30, snoozedUntil: null }, AT_MS - 1, AT_MS + 30 * minute],
    ['when the snooze is over', { digestMinutes: null, snoozedUntil: at(AT_MS + 5 * minute) }, null, AT_MS + 5 * minute],
    ['at once after a snooze that is over', { digestMinutes: null, snoozedUntil: at(AT_MS - 5) }, null, AT_MS],
    ['with neither before the other', { digestMinutes: 3, snoozedUntil: at(AT_MS + 5 * minute) }, null, AT_MS + 5 * minute],
  ])('%s', (_, rule, open, due) => {
    expect(dueAtMs(rule, AT_MS, open)).toBe(due);
  });
});

test('the cooldown keeps silent what comes too soon, and the next one says how many that were', () => {
  const first = afterFact({ raisedAtMs: null, suppressed: 0 }, 60, AT_MS);
  expect(first).toEqual({ told: true, memory: { raisedAtMs: AT_MS, suppressed: 0 } });
  const second = afterFact(first.memory, 60, AT_MS + 59_999);
  expect(second).toEqual({ told: false, memory: { raisedAtMs: AT_MS, suppressed: 1 } });
  expect(afterFact(second.memory, 60, AT_MS + 60_000)).toEqual({ told: true, memory: { raisedAtMs: AT_MS + 60_000, suppressed: 0 } });
  expect(afterFact(first.memory, 0, AT_MS).told).toBe(true);
});
