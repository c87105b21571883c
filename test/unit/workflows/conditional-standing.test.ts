/** A conditional order's workflow and a database that was restored from a backup: what it gives back, and which firings it does not believe. */
import { describe, expect, test } from '@jest/globals';
import type { OrderCondition } from '../../../src/domain/condition';
import { UNCONDITIONAL, type OrderIntent } from '../../../src/domain/order';
import { outdated, triggerOf, type Trigger, type TriggerParameters } from '../../../src/domain/trigger';
import { ConditionalOrder } from '../../../src/workflows/state/conditional-order';
import { StandingTerms } from '../../../src/workflows/state/conditional-standing';

const STOP: OrderIntent = {
  id: '00000000-0000-4000-8000-000000000001', userId: 'u1', accountId: 'a1', signerId: 's1', clientOrderId: 'c1', venueClientId: 'v1', venue: 'paper', symbol: 'BTC-PERP', venueSymbol: 'BTC-PERP',
  side: 'sell', type: 'stopMarket', timeInForce: 'GTC', quantity: '10', limitPrice: null, postOnly: false, reduceOnly: true, origin: 'API', placeBefore: '2026-01-01T00:00:00.000Z', idempotency: null,
};
const CONDITION: OrderCondition = { ...UNCONDITIONAL, execution: 'durable', triggerPrice: '100', triggerPriceType: 'mark' };
const AT = Date.parse('2026-01-01T00:00:00.000Z');

const parametersAt = (triggerPrice: string): TriggerParameters => triggerOf({ ...STOP, condition: { ...CONDITION, triggerPrice } }) as TriggerParameters;
const fired = (triggerPrice: string, revision: number): Trigger => ({
  id: `${STOP.id}/0`, userId: 'u1', accountId: 'a1', workflowId: 'w', venue: 'paper', symbol: 'BTC-PERP', parameters: parametersAt(triggerPrice), revision, status: 'FIRED', extreme: null, armedAtMs: 1, checkpointAtMs: 1, acknowledged: true,
  evidence: { triggerId: `${STOP.id}/0`, revision, price: '90', priceType: 'mark', source: 'paper', backup: false, origin: 'stream', extreme: null, level: triggerPrice, atMs: 1, observedAtMs: 2, sequence: 3, scope: 'market/paper', epoch: 1 },
});
const held = (changes: object = {}) => ({ state: 'ARMED', quantity: '10', limitPrice: null, condition: CONDITION, pendingCancel: false, revision: 1, armedRevision: 1, acceptedAtMs: AT, triggeredAtMs: null, children: [], ...changes }) as const;

/** Accepted, armed, and moved to 95 a minute later. */
function moved(condition: OrderCondition = CONDITION): { readonly state: ConditionalOrder; readonly terms: StandingTerms } {
  const state = new ConditionalOrder(STOP, condition, null);
  const terms = new StandingTerms();
  terms.begin(state, held({ condition }), null, AT);
  state.armed(0);
  state.amended({ triggerPrice: '95' });
  terms.amended(2, AT + 60_000);
  state.armed(1);
  return { state, terms };
}

describe('a stop that was moved, of a database restored to before that', () => {
  test('does not believe a crossing of its old level, and arms the next trigger with what was traded since it was moved', () => {
    const { state, terms } = moved();
    expect(terms.firedByOlder(state, fired('100', 1))).toContain('revision 1');
    state.disproved();
    expect([state.next(AT, null), state.triggerId, terms.armsSinceMs(state, 1)]).toEqual([{ kind: 'arm', version: 1 }, `${STOP.id}/1`, AT + 60_000]);
    terms.watched();
    expect(terms.armsSinceMs(state, 1)).toBeUndefined();
  });

  test('believes a crossing of the level it has, however its row counts', () => {
    const { state, terms } = moved();
    expect([fired('95', 2), fired('95.0', 1), fired('95', 9)].map((trigger) => terms.firedByOlder(state, trigger))).toEqual([null, null, null]);
  });

  test('believes terms of a later revision: Temporal may have lost the amendment, and its owner was told', () => {
    const { state, terms } = moved();
    expect(terms.firedByOlder(state, fired('97', 3))).toBeNull();
  });
});

describe('what it gives back', () => {
  test('are the terms, the revision that its owner was told, the trigger with its revision, and since when prices count for them', () => {
    const { state, terms } = moved();
    expect(terms.standing(state)).toEqual({ quantity: '10', limitPrice: null, condition: { ...CONDITION, triggerPrice: '95' }, revision: 2, triggerId: `${STOP.id}/0`, triggerNumber: 0, triggerRevision: 2, triggered: null, pricesSinceMs: AT + 60_000 });
  });

  test('of one that begins at a time, nothing from before that', () => {
    const startAt = new Date(AT + 3_600_000).toISOString();
    const { state, terms } = moved({ ...CONDITION, startAt });
    expect(terms.standing(state)).toMatchObject({ pricesSinceMs: AT + 3_600_000 });
  });

  test('of one that has gone off, that it has, and no trigger', () => {
    const { state, terms } = moved();
    state.triggered({ by: 'trigger', level: '95', atMs: AT, evidence: { price: '94' } });
    expect(terms.standing(state)).toMatchObject({ triggerId: null, triggered: { by: 'trigger', level: '95', evidence: { price: '94' } } });
  });

  test('is nothing before its row was there', () => {
    expect(new StandingTerms().standing(new ConditionalOrder(STOP, CONDITION, null))).toBeNull();
  });

  test('is the same after it continued as new, and a row that is behind by then is armed anew', () => {
    const { state, terms } = moved();
    const memory = terms.memory(state);
    const next = new ConditionalOrder(STOP, CONDITION, memory);
    const after = new StandingTerms();
    after.begin(next, held(), memory, AT + 900_000);
    expect(after.standing(next)).toEqual({ ...terms.standing(state), triggerId: null });
    expect([next.next(AT, null), after.armsSinceMs(next, 1)]).toEqual([{ kind: 'arm', version: 1 }, AT + 60_000]);
    const whole = new ConditionalOrder(STOP, CONDITION, memory);
    const same = new StandingTerms();
    same.begin(whole, held({ revision: 2, armedRevision: 2 }), memory, AT + 900_000);
    expect([whole.next(AT, null), same.standing(whole)]).toEqual([{ kind: 'wait', untilMs: null, looking: false }, terms.standing(state)]);
  });
});

test('terms are the same however their numbers are written', () => {
  const wanted = { revision: 2, parameters: parametersAt('95.50') };
  expect(outdated({ revision: 1, parameters: parametersAt('95.5') }, wanted)).toBeNull();
  expect(outdated({ revision: 1, parameters: parametersAt('95.6') }, wanted)).not.toBeNull();
});
