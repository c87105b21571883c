import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { decimal } from '../../../src/domain/decimal';
import { fillKey, venueViewKey, type Evidence } from '../../../src/domain/evidence';
import { isTerminal, type Order } from '../../../src/domain/order';
import type { Transition } from '../../../src/domain/order-changes';
import { addFill, applyEvidence, NO_FILLS, type FillFigures } from '../../../src/domain/order-state';
import { AT, sampleFill, sampleOrder, sampleView } from './order-samples';

type Machine = (order: Order, evidence: Evidence, fills: FillFigures) => Transition;

/** A venue's true story of one order: some fills, then it stays open, is canceled or is full. */
const story = fc
  .record({ fills: fc.array(fc.integer({ min: 1, max: 4 }), { maxLength: 5 }), ends: fc.constantFrom('open', 'canceled') })
  .map(({ fills, ends }) => {
    const quantities: number[] = [];
    let total = 0;
    for (const quantity of fills) {
      const room = Math.min(quantity, 10 - total);
      if (room > 0) quantities.push(room);
      total += room;
    }
    return { quantities, total, end: total === 10 ? 'filled' : ends };
  });

/** Everything our process may hear of that story, each more than once and in any order. */
const heard = story.chain((truth) => {
  const all: Evidence[] = [view('open', 0, 1)];
  let filled = 0;
  truth.quantities.forEach((quantity, index) => {
    filled += quantity;
    const fill = sampleFill({ venueFillId: `f${index}`, quantity: String(quantity), price: String(100 + index) });
    all.push({ kind: 'fill', key: fillKey(fill), fill, at: AT }, view('open', filled, index + 2));
  });
  if (truth.end !== 'open') all.push(view(truth.end === 'filled' ? 'filled' : 'canceled', truth.total, 10));
  const silence: Evidence = { kind: 'outcomeUnknown', key: 'unknown/1', message: 'no answer', at: AT };
  // Told of an order that the venue has: by a fault of ours, or of the venue's queries.
  const mistake: Evidence = { kind: 'neverPlaced', key: 'neverPlaced', message: 'absent', at: AT };
  return fc
    .tuple(fc.shuffledSubarray([...all, ...all, silence, mistake], { minLength: all.length * 2, maxLength: all.length * 2 + 2 }), fc.constant(truth), fc.constant(all))
    .map(([arrivals, told, facts]) => ({ arrivals: [...arrivals, ...facts.filter((fact) => !arrivals.includes(fact))], truth: told }));
});

function view(status: 'open' | 'filled' | 'canceled', filled: number, sequence: number): Evidence {
  const order = sampleView({ status, filledQuantity: String(filled), updatedAtMs: sequence, revision: sequence });
  return { kind: 'venueView', key: venueViewKey(order), order, source: 'stream', at: AT };
}

/** As the store does it: evidence is known by its key, fills are counted once. */
function hear(machine: Machine, arrivals: readonly Evidence[], dropKnown = true): { order: Order; history: Order[] } {
  const known = new Set<string>();
  let order = sampleOrder();
  let fills = NO_FILLS;
  const history: Order[] = [order];
  for (const evidence of arrivals) {
    if (dropKnown && known.has(evidence.key)) continue;
    known.add(evidence.key);
    if (evidence.kind === 'fill') fills = addFill(fills, evidence.fill);
    order = machine(order, evidence, fills).order;
    history.push(order);
  }
  return { order, history };
}

function agreesWithVenue(machine: Machine, dropKnown = true): fc.IPropertyWithHooks<[{ arrivals: Evidence[]; truth: { total: number; end: string } }]> {
  return fc.property(heard, ({ arrivals, truth }) => {
    const { order, history } = hear(machine, arrivals, dropKnown);
    const expected = truth.end === 'filled' ? 'FILLED' : truth.end === 'canceled' ? 'CANCELED' : truth.total > 0 ? 'PARTIALLY_FILLED' : 'WORKING';
    expect(order.state).toBe(expected);
    expect(order.filledQuantity).toBe(String(truth.total));
    if (!isTerminal(order.state)) expect(decimal(order.filledQuantity).plus(decimal(order.leavesQuantity)).toFixed()).toBe('10');
    history.reduce((before, after) => {
      if (isTerminal(before.state) && before.state !== 'REJECTED') expect(isTerminal(after.state)).toBe(true);
      expect(decimal(after.filledQuantity).gte(decimal(before.filledQuantity))).toBe(true);
      expect(after.revision).toBeGreaterThanOrEqual(before.revision);
      return after;
    });
  });
}

const RUNS = { numRuns: 2_000 };

describe('reordered and duplicated evidence', () => {
  test('always ends where the venue ended, filled plus leaves is the quantity, and nothing closed opens again', () => {
    fc.assert(agreesWithVenue(applyEvidence), RUNS);
  });

  test('the property finds a machine that counts a fill twice', () => {
    expect(fc.check(agreesWithVenue(applyEvidence, false), { ...RUNS, seed: 1 }).failed).toBe(true);
  });

  test('the property finds a machine that lets a late message reopen a canceled order', () => {
    const reopening: Machine = (order, evidence, fills) => applyEvidence(order.state === 'CANCELED' ? { ...order, state: 'WORKING', closedAt: null } : order, evidence, fills);
    expect(fc.check(agreesWithVenue(reopening), { ...RUNS, seed: 1 }).failed).toBe(true);
  });

  test('the property finds a machine that keeps an order REJECTED that the venue has', () => {
    const stubborn: Machine = (order, evidence, fills) => (order.state === 'REJECTED' ? { order, events: [] } : applyEvidence(order, evidence, fills));
    expect(fc.check(agreesWithVenue(stubborn), { ...RUNS, seed: 1 }).failed).toBe(true);
  });

  test('the property finds a machine that believes the last message instead of the furthest', () => {
    const lastWins: Machine = (order, evidence, fills) => applyEvidence(evidence.kind === 'venueView' ? { ...order, filledQuantity: '0' } : order, evidence, fills);
    expect(fc.check(agreesWithVenue(lastWins), { ...RUNS, seed: 1 }).failed).toBe(true);
  });

  test('the property finds a machine that lets an older view reopen a filled order', () => {
    const reopening: Machine = (order, evidence, fills) => applyEvidence(order.state === 'FILLED' ? { ...order, state: 'PARTIALLY_FILLED', filledQuantity: '0', venueSeenAtMs: null, closedAt: null } : order, evidence, fills);
    expect(fc.check(agreesWithVenue(reopening), { ...RUNS, seed: 1 }).failed).toBe(true);
  });
});

/** An order of 10 that is raised to 20 while it fills, by us or by somebody else at the venue; the answer is lost or late. */
const raised = fc
  .record({ before: fc.integer({ min: 0, max: 9 }), after: fc.array(fc.integer({ min: 1, max: 8 }), { maxLength: 6 }), asked: fc.boolean(), taken: fc.boolean() })
  .chain((plan) => {
    const { before, asked } = plan;
    const taken = plan.taken || !asked;
    const quantity = taken ? 20 : 10;
    const views: Evidence[] = [amendedView('open', 10, 0, 1)];
    const fills: Evidence[] = [];
    let filled = 0;
    const fill = (wanted: number, sequence: number, upTo: number): void => {
      const room = Math.min(wanted, upTo - filled);
      if (room <= 0) return;
      filled += room;
      const one = sampleFill({ venueFillId: `f${sequence}`, quantity: String(room), price: '100' });
      fills.push({ kind: 'fill', key: fillKey(one), fill: one, at: AT });
      views.push(amendedView(filled === upTo ? 'filled' : 'open', upTo, filled, sequence));
    };
    fill(before, 2, 10);
    if (taken) views.push(amendedView('open', 20, filled, 3));
    plan.after.forEach((wanted, index) => {
      fill(wanted, 4 + index, quantity);
    });
    const newest = views.at(-1);
    if (newest?.kind !== 'venueView') throw new Error('the story has no view');
    const asking: Evidence[] = asked ? [{ kind: 'amendRequested', key: 'amend/1', quantity: '20', limitPrice: null, at: AT }] : [];
    // What a look at the venue finds when the answer is lost.
    const settling: Evidence[] = !asked ? [] : taken ? [{ kind: 'amendSettled', key: 'amendSettled/1', order: newest.order, at: AT }] : [{ kind: 'amendRefused', key: 'amendRefused/1', reasonCode: 'VENUE_REJECTED', message: 'no', at: AT }];
    return fc.shuffledSubarray([...fills, ...views], { minLength: fills.length + views.length }).chain((arrivals) =>
      fc.integer({ min: 0, max: arrivals.length }).map((at) => ({ arrivals: [...asking, ...arrivals.slice(0, at), ...settling, ...arrivals.slice(at)], filled, quantity })),
    );
  });

function amendedView(status: 'open' | 'filled', quantity: number, filled: number, sequence: number): Evidence {
  const order = sampleView({ status, quantity: String(quantity), filledQuantity: String(filled), updatedAtMs: sequence, revision: sequence });
  return { kind: 'venueView', key: venueViewKey(order), order, source: 'stream', at: AT };
}

function followsTheRaise(machine: Machine): fc.IPropertyWithHooks<[{ arrivals: Evidence[]; filled: number; quantity: number }]> {
  return fc.property(raised, ({ arrivals, filled, quantity }) => {
    const { order } = hear(machine, arrivals);
    expect(order.filledQuantity).toBe(String(filled));
    expect(order.state).toBe(filled === quantity ? 'FILLED' : filled > 0 ? 'PARTIALLY_FILLED' : 'WORKING');
    if (!isTerminal(order.state)) expect(order.leavesQuantity).toBe(String(quantity - filled));
    expect(order.pendingReplace).toBe(false);
  });
}

describe('an order whose quantity is raised while it fills', () => {
  test('is FILLED when the venue has no more of it to fill, and open as long as it has', () => {
    fc.assert(followsTheRaise(applyEvidence), RUNS);
  });

  test('the property finds a machine that judges by the old quantity while the amendment is open', () => {
    const hasty: Machine = (order, evidence, fills) => {
      const { order: cleared } = applyEvidence({ ...order, pendingReplace: evidence.kind === 'fill' ? false : order.pendingReplace }, evidence, fills);
      return { order: cleared.state === 'FILLED' ? { ...cleared, venueSeenAtMs: 100 } : cleared, events: [] };
    };
    expect(fc.check(followsTheRaise(hasty), { ...RUNS, seed: 1 }).failed).toBe(true);
  });

  test('the property finds a machine that never takes FILLED back', () => {
    const stubborn: Machine = (order, evidence, fills) => (order.state === 'FILLED' ? { order, events: [] } : applyEvidence(order, evidence, fills));
    expect(fc.check(followsTheRaise(stubborn), { ...RUNS, seed: 1 }).failed).toBe(true);
  });
});
