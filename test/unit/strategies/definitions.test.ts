/** What each strategy shows before it exists, refuses, and decides at its edges. */
import { describe, expect, test } from '@jest/globals';
import { decimalText, sum } from '../../../src/domain/decimal';
import { flatnessOf, isConfirmed, sharper, venueFlatness, type KillSwitchFacts } from '../../../src/domain/kill-switch';
import type { StrategyChild, StrategyView } from '../../../src/domain/strategy';
import { amended, commandedTo, noted, typeOf } from '../../../src/domain/strategy-commands';
import { jsonSchemaOf, withFallbacks, type Parameters } from '../../../src/domain/strategies/form';
import { STRATEGIES, strategyNamed } from '../../../src/domain/strategies/registry';
import { StrategyRun } from '../../../src/workflows/state/strategy-run';
import { RULES, START_MS, StrategyWorld } from './strategy-model';

const PRICES = { bid: '99.5', ask: '100.5', mark: '100' } as const;
const ASKED: Record<string, Record<string, string | number>> = {
  twap: { durationMs: 60_000, slices: 6, randomSizePercent: 30, randomTimePercent: 30 },
  chase: { timeoutMs: 10_000 },
  scale: { priceFrom: '95', priceTo: '90', levels: 4, sizeSkew: '2' },
  iceberg: { limitPrice: '99', displayQuantity: '3', randomSizePercent: 20 },
};
const input = (type: string, changes: Record<string, string | number | null> = {}, quantity = '10') => ({ id: 'i', side: 'buy' as const, quantity, parameters: withFallbacks(strategyNamed(type).form, { ...ASKED[type], ...changes }), rules: RULES, prices: PRICES });

function view(type: string, changes: Partial<StrategyView<Parameters>> = {}, parameters: Record<string, string | number | null> = {}): StrategyView<Parameters> {
  return { ...input(type, parameters), run: 1, elapsedMs: 0, runFromMs: 0, children: [], filled: '0', remaining: '10', ...changes };
}

function child(changes: Partial<StrategyChild>): StrategyChild {
  return { n: 1, orderId: 'o1', leg: 'slice-0', run: 1, state: 'CANCELED', isPlaced: true, timeInForce: 'IOC', postOnly: false, quantity: '1', filledQuantity: '0', avgPrice: null, limitPrice: '100', reasonCode: null, reasonMessage: null, pendingCancel: false, createdAtMs: START_MS, closedAtMs: null, ...changes };
}

describe.each(STRATEGIES.map(({ type }) => type))('%s', (type) => {
  const definition = strategyNamed(type);

  test('previews its whole quantity, the same each time, and describes every parameter', () => {
    const preview = definition.preview(input(type));
    expect(decimalText(sum(preview.legs.map(({ quantity }) => quantity)))).toBe('10');
    expect(definition.preview(input(type))).toEqual(preview);
    expect(definition.issues(input(type))).toEqual([]);
    expect(jsonSchemaOf(definition.form)).toMatchObject({ type: 'object', properties: Object.fromEntries(Object.keys(definition.form).map((name) => [name, { title: expect.any(String) }])) });
  });

  test('refuses a quantity that its market would not take in such parts', () => {
    expect(definition.issues(input(type, {}, '0.005'))).toHaveLength(1);
  });
});

test('no other type is known', () => expect(() => strategyNamed('vwap')).toThrow(RangeError));

test('rules over several fields name the field', () => {
  const field = (type: string, changes: Record<string, string | number>, quantity?: string) => strategyNamed(type).issues(input(type, changes, quantity)).map((issue) => issue.field);
  expect([field('twap', { durationMs: 1_000 }), field('scale', { priceFrom: '95', priceTo: '94.9' }), field('iceberg', { displayQuantity: '0.02', randomSizePercent: 0 }, '100')]).toEqual([['slices'], ['levels'], ['displayQuantity']]);
});

describe('a TWAP', () => {
  const twap = strategyNamed('twap');
  const exact = { randomSizePercent: 0, randomTimePercent: 0 };

  test('skips a slice beyond its limit, and places none without a fresh price', () => {
    expect(twap.decide(view('twap', {}, { ...exact, limitPrice: '99' }))).toMatchObject({ place: [], wakeAtMs: 10_000, end: null });
    expect(twap.decide(view('twap', { prices: null }, exact))).toMatchObject({ place: [], end: null });
  });

  test('sells no lower than its slippage and its limit', () => {
    expect(twap.decide(view('twap', { side: 'sell' }, { ...exact, slippageBps: 100 })).place[0]?.limitPrice).toBe('99');
    expect(twap.decide(view('twap', { side: 'sell' }, { ...exact, slippageBps: 100, limitPrice: '99.5' })).place[0]?.limitPrice).toBe('99.5');
  });

  test('catches up what was missed by its rule', () => {
    const late = (catchUp: string) => twap.decide(view('twap', { elapsedMs: 25_000 }, { ...exact, catchUp })).place[0];
    expect([late('none'), late('next'), late('spread')].map((plan) => [plan?.leg, plan?.quantity])).toEqual([['slice-2', '1.67'], ['slice-2', '5'], ['slice-2', '2.5']]);
  });

  test('lets go, expires, or is done with a remainder too small to place', () => {
    const over = (remaining: string, catchUp: string, elapsedMs: number, children: readonly StrategyChild[] = []) => twap.decide(view('twap', { remaining, elapsedMs, children }, { ...exact, catchUp })).end;
    const last = child({ n: 9, leg: 'slice-5' });
    expect(over('4', 'none', 70_000, [last])).toMatchObject({ state: 'COMPLETED', reason: expect.stringContaining('let it go') });
    expect(over('4', 'spread', 999_000, [child({ leg: 'slice-25' })])).toMatchObject({ state: 'EXPIRED' });
    expect(over('0.005', 'spread', 70_000, [last])).toMatchObject({ state: 'COMPLETED', reason: expect.stringContaining('below') });
    expect(twap.decide(view('twap', { remaining: '4', elapsedMs: 70_000, children: [child({ state: 'UNKNOWN', leg: 'slice-5' })] }, { ...exact, catchUp: 'none' })).end).toBeNull();
    expect(twap.decide(view('twap', { elapsedMs: 70_000, children: [last] }, { ...exact, catchUp: 'next' })).place[0]?.quantity).toBe('10');
  });
});

describe('a chase', () => {
  const chase = strategyNamed('chase');
  const atEnd = (changes: Partial<StrategyView<Parameters>>, parameters = {}) => chase.decide(view('chase', { elapsedMs: 10_000, ...changes }, parameters));

  test('rests behind the best price, within its limit, and is left alone without a price', () => {
    expect(chase.decide(view('chase', {}, { distance: '1' })).place[0]).toMatchObject({ limitPrice: '98.5', postOnly: true });
    expect(chase.decide(view('chase', { side: 'sell' }, { distance: '1', limitPrice: '105' })).place[0]?.limitPrice).toBe('105');
    expect(chase.decide(view('chase', { prices: null }))).toMatchObject({ place: [], end: null });
    expect(chase.decide(view('chase', { remaining: '0.005' })).end?.reason).toContain('below');
  });

  test('at its end cancels first, then stops or takes from the market, not for ever', () => {
    const resting = child({ leg: 'chase', state: 'WORKING', limitPrice: '99.5' });
    expect(atEnd({ children: [resting] }).cancel).toEqual(['o1']);
    expect(atEnd({ children: [{ ...resting, pendingCancel: true }] })).toMatchObject({ cancel: [], place: [] });
    expect(atEnd({}, { onTimeout: 'stop' }).end?.state).toBe('EXPIRED');
    expect(atEnd({}).place[0]).toMatchObject({ leg: 'market', timeInForce: 'IOC' });
    expect(atEnd({ prices: null })).toMatchObject({ place: [], end: null });
    expect(atEnd({ remaining: '0.005' }).end?.state).toBe('COMPLETED');
    expect(atEnd({ children: Array.from({ length: 5 }, (_, n) => child({ n, leg: 'market' })) }).end?.state).toBe('EXPIRED');
  });
});

test('a ladder whose levels ended without filling says so; an iceberg\'s remainder too small is told', () => {
  const legs = [0, 1, 2, 3].map((n) => child({ n, leg: `level-${n}` }));
  expect(strategyNamed('scale').decide(view('scale', { children: legs })).end?.reason).toContain('was not filled');
  expect(strategyNamed('scale').decide(view('scale', { children: legs, remaining: '0.005' })).end?.reason).toContain('below');
  expect(strategyNamed('iceberg').decide(view('iceberg', { remaining: '0.005' })).end?.reason).toContain('below');
});

describe('commands and notes', () => {
  const { strategy } = new StrategyWorld('iceberg', '10', ASKED['iceberg'] ?? {});
  const at = new Date(START_MS + 1_000).toISOString();

  test('what is so already tells nobody, and what cannot be is a conflict', () => {
    const paused = { ...strategy, state: 'PAUSED', pausedAt: strategy.createdAt } as const;
    const ended = { ...strategy, state: 'COMPLETED' } as const;
    const canceling = { ...strategy, pendingCancel: true };
    expect([commandedTo(paused, { kind: 'pause', reason: null }, at), commandedTo(strategy, { kind: 'resume', reason: null }, at), commandedTo(ended, { kind: 'cancel', reason: null }, at), commandedTo(canceling, { kind: 'cancel', reason: null }, at)]).toEqual([null, null, null, null]);
    expect(() => commandedTo(ended, { kind: 'pause', reason: null }, at)).toThrow(/COMPLETED/);
    expect(() => commandedTo(canceling, { kind: 'resume', reason: null }, at)).toThrow(/being canceled/);
    const edit = { kind: 'amend', expectedRevision: 1, quantity: '10', parameters: strategy.parameters, expireAt: null } as const;
    expect(() => amended(ended, edit, [], at)).toThrow(/COMPLETED/);
    expect(() => amended(canceling, edit, [], at)).toThrow(/being canceled/);
  });

  test('an edit to less than is filled and open says how much that is', () => {
    const edit = { kind: 'amend', expectedRevision: 1, quantity: '2', parameters: strategy.parameters, expireAt: null } as const;
    const filled = child({ state: 'FILLED', quantity: '2.5', filledQuantity: '2.5' });
    const open = child({ n: 2, orderId: 'o2', state: 'PARTIALLY_FILLED', quantity: '3', filledQuantity: '0.5' });
    expect(() => amended(strategy, edit, [filled], at)).toThrow('2.5 of it is filled already: take at least that');
    expect(() => amended(strategy, edit, [filled, open], at)).toThrow('3 of it is filled already, and 2.5 is open: take at least 5.5, or pause it first');
    expect(amended(strategy, { ...edit, quantity: '5.5' }, [filled, open], at).change.quantity).toBe('5.5');
  });

  test('a note keeps when it was paused and when it ended', () => {
    const note = { reason: null, newRun: false, filledQuantity: '0', avgPrice: null } as const;
    expect(noted(strategy, { ...note, state: 'PAUSED' }, at)).toMatchObject({ pausedAt: at, revision: 2 });
    expect(noted(strategy, { ...note, state: 'FAILED' }, at)).toMatchObject({ endedAt: at });
    expect(noted(strategy, { ...note, state: 'SCHEDULED' }, at)).toMatchObject({ revision: 1, endedAt: null });
    expect([typeOf('RUNNING', { ...strategy, state: 'RUNNING' }), typeOf('PAUSED_VENUE_DOWN', { ...strategy, state: 'RUNNING' }), typeOf('RUNNING', { ...strategy, state: 'EXPIRED' })]).toEqual(['strategy.progressed', 'strategy.venueBack', 'strategy.expired']);
  });
});

describe('a strategy\'s run', () => {
  const look = (changes: object, children: readonly StrategyChild[] = []) => {
    const world = new StrategyWorld('iceberg', '10', ASKED['iceberg'] ?? {});
    const at = new Date(START_MS).toISOString();
    return { strategy: { ...world.strategy, state: 'RUNNING' as const, run: 1, startedAt: at, runStartedAt: at, ...changes }, children, rules: RULES, prices: PRICES };
  };
  const refused = (n: number, reasonCode: string) => child({ n, state: 'REJECTED', reasonCode, reasonMessage: 'no' });

  test('waits for its time, and at its end cancels before it says EXPIRED', () => {
    const later = new Date(START_MS + 5_000).toISOString();
    expect(new StrategyRun().step(look({ state: 'SCHEDULED', startAt: later }), START_MS)).toMatchObject({ waitMs: 5_000, note: null });
    const expired = { expireAt: new Date(START_MS).toISOString() };
    expect(new StrategyRun().step(look(expired, [child({ state: 'WORKING' })]), START_MS).cancel).toEqual(['o1']);
    expect(new StrategyRun().step(look(expired), START_MS).note).toMatchObject({ state: 'EXPIRED' });
    expect(new StrategyRun().step(look({ pendingCancel: true }, [child({ state: 'FILLED', quantity: '10', filledQuantity: '10', avgPrice: '99' })]), START_MS).note).toMatchObject({ state: 'COMPLETED', avgPrice: '99' });
  });

  test('is paused where the account is stopped, waits where the venue is down, and fails after refusals in a row', () => {
    const note = (children: readonly StrategyChild[]) => new StrategyRun().step(look({}, children), START_MS + 60_000).note?.state;
    expect([note([refused(1, 'RISK_ACCOUNT_HALTED')]), note([refused(1, 'NOT_SENT')]), note([1, 2, 3, 4, 5].map((n) => refused(n, 'OTHER')))]).toEqual(['PAUSED', 'PAUSED_VENUE_DOWN', 'FAILED']);
    expect(new StrategyRun().step(look({}, [refused(1, 'OTHER')]), START_MS + 10)).toMatchObject({ place: [], waitMs: 990 });
  });

  test('says what it does to whoever looks', () => {
    const run = new StrategyRun();
    expect(run.details()).toContain('reads');
    run.step(look({ reason: 'why not' }, [child({ state: 'WORKING' })]), START_MS);
    expect(run.details()).toMatch(/RUNNING.*iceberg[\s\S]*why not[\s\S]*WORKING 0\/1/);
  });
});

describe('flatness', () => {
  const latched = { mode: 'flatten', latchedAt: new Date(START_MS).toISOString() } as const;
  const facts = (changes: Partial<KillSwitchFacts> = {}): KillSwitchFacts => ({ accountId: 'a', venue: 'paper', openOrders: 0, unknownOrders: 0, outsideOrders: 0, openStrategies: 0, openLists: 0, positions: [], readFromMs: START_MS + 1, fillsReadToMs: START_MS + 1, lastFillMs: START_MS, exitTrouble: null, ...changes });

  test('says everything that is left', () => {
    const { state, reason } = flatnessOf(latched, facts({ openOrders: 2, unknownOrders: 1, openStrategies: 1, positions: [{ symbol: 'X', quantity: '-1' }], exitTrouble: 'no reduce-only', readFromMs: START_MS, fillsReadToMs: null }));
    expect(state).toBe('FLATTENING');
    for (const word of ['2 orders are open, of 1 the outcome is unknown', '1 strategies', '-1 X is held', 'no reduce-only', 'before the switch was latched']) expect(reason).toContain(word);
    expect(flatnessOf(latched, facts({ fillsReadToMs: START_MS })).reason).toContain('since the last fill');
    expect(flatnessOf(latched, facts({ readFromMs: null })).reason).toContain('never read');
  });

  test('of the milder modes: outside orders stay under cancel, and halt asks for nothing', () => {
    const outside = facts({ openOrders: 1, outsideOrders: 1, positions: [{ symbol: 'X', quantity: '1' }] });
    expect((['halt', 'cancel', 'flatten'] as const).map((mode) => flatnessOf({ ...latched, mode }, outside).state)).toEqual(['HALTED', 'CANCELED_CONFIRMED', 'FLATTENING']);
    expect([sharper('halt', 'cancel'), sharper('flatten', 'halt')]).toEqual(['cancel', 'flatten']);
  });

  test('of a venue is that of its slowest account', () => {
    const accounts = [flatnessOf(latched, facts()), flatnessOf(latched, facts({ accountId: 'b', openOrders: 1 })), flatnessOf(latched, facts({ accountId: 'c', venue: 'other' }))];
    expect(venueFlatness(accounts)).toEqual([{ venue: 'other', state: 'FLAT_CONFIRMED', reason: null }, { venue: 'paper', state: 'FLATTENING', reason: 'b: 1 orders are open' }]);
    expect(accounts.filter(({ state }) => isConfirmed(state))).toHaveLength(2);
  });
});
