/** The rules' state machines over random lives, against a second description of each; each is shown to find planted bugs. */
import fc from 'fast-check';
import { describe, expect, test } from '@jest/globals';
import { composed, type ToldAlert } from '../../../src/domain/alert-delivery';
import { afterFact, dueAtMs, type SubjectMemory } from '../../../src/domain/alert-facts';
import { afterFiring, isNear, priceTriggerOf } from '../../../src/domain/alert-figures';
import { decimal } from '../../../src/domain/decimal';
import { evaluate, type TriggerEvidence } from '../../../src/domain/trigger';
import { at, AT_MS, ruleOf } from './alert-samples';

const RUNS = { numRuns: 1_000, seed: 20261128 } as const;
const MINUTE = 60_000;

/** Few numbers, so that prices meet levels exactly; whole, so that the second description needs no decimals. */
const prices = fc.array(fc.integer({ min: 9_500, max: 10_500 }), { maxLength: 60, size: 'max' });
const terms = fc.record({ direction: fc.constantFrom('atOrAbove' as const, 'atOrBelow' as const), level: fc.integer({ min: 9_900, max: 10_100 }), repeats: fc.boolean(), rearmBps: fc.constantFrom(1, 50, 100, 300) });
type Terms = typeof terms extends fc.Arbitrary<infer Value> ? Value : never;

interface PriceMachine {
  readonly priceTriggerOf: typeof priceTriggerOf;
  readonly afterFiring: typeof afterFiring;
}
const REAL: PriceMachine = { priceTriggerOf, afterFiring };

/** The rule as the judging drives it: one armed trigger at a time; the next is armed from the next price on. */
function toldByRule({ direction, level, repeats, rearmBps }: Terms, seen: readonly number[], machine: PriceMachine): number[] {
  const parameters = { venue: 'paper', symbol: 'BTC-PERP', direction, price: String(level), priceType: 'last', repeats, rearmBps } as const;
  const rule = ruleOf({ kind: 'price', parameters });
  const told: number[] = [];
  let step: number | null = 0;
  seen.forEach((price, n) => {
    if (step === null) return;
    const { reached } = evaluate(machine.priceTriggerOf(parameters, step), null, String(price));
    if (reached === null) return;
    const evidence: TriggerEvidence = { triggerId: 't', revision: 1, price: String(price), priceType: 'last', source: 'paper', backup: false, origin: 'stream', extreme: null, level: reached.level, atMs: n, observedAtMs: n, sequence: n, scope: 's', epoch: 1 };
    const { next, fact } = machine.afterFiring(rule, step, evidence);
    if (fact !== null) told.push(n);
    step = next;
  });
  return told;
}

/** In whole numbers: told at the level; told again only after the price was `rearmBps` beyond it on the other side. */
function toldByWords({ direction, level, repeats, rearmBps }: Terms, seen: readonly number[]): number[] {
  const sign = direction === 'atOrAbove' ? 1 : -1;
  const told: number[] = [];
  let waits = true;
  seen.forEach((price, n) => {
    const beyond = sign * (price - level);
    if (waits && beyond >= 0 && (repeats || told.length === 0)) {
      told.push(n);
      waits = false;
    } else if (!waits && -beyond * 10_000 >= level * rearmBps) waits = true;
  });
  return told;
}

function pricesHold(machine: PriceMachine): void {
  fc.assert(
    fc.property(terms, prices, (given, seen) => {
      expect(toldByRule(given, seen, machine)).toEqual(toldByWords(given, seen));
    }),
    RUNS,
  );
}

describe('a rule of a price', () => {
  test('tells each coming to its level once, and the next only after the price went back far enough', () => pricesHold(REAL));

  test.each<[string, PriceMachine]>([
    ['is armed again at the level itself', { ...REAL, priceTriggerOf: (parameters, step) => priceTriggerOf({ ...parameters, rearmBps: 0 }, step) }],
    ['is armed again without the price going back', { ...REAL, afterFiring: (rule, step, evidence) => { const { next, fact } = afterFiring(rule, step, evidence); return { next: next === null ? null : next + (step % 2 === 0 ? 1 : 0), fact }; } }],
    ['tells the way back too', { ...REAL, afterFiring: (rule, step, evidence) => { const { next, fact } = afterFiring(rule, step, evidence); return { next, fact: fact ?? afterFiring(rule, 0, evidence).fact }; } }],
    ['never waits again', { ...REAL, afterFiring: (rule, step, evidence) => ({ ...afterFiring(rule, step, evidence), next: null }) }],
    ['repeats though once was wanted', { ...REAL, afterFiring: (rule, step, evidence) => afterFiring({ ...rule, parameters: { ...rule.parameters, repeats: true } }, step, evidence) }],
  ])('one that %s is found', (_name, machine) => {
    expect(() => pricesHold(machine)).toThrow(/Property failed/);
  });
});

/** Distances in hundredths of a percent around a level of 5 %, told once until they were beyond 5.5 %. */
function distancesHold(near: typeof isNear): void {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 450, max: 600 }), { maxLength: 60, size: 'max' }), (distances) => {
      let inside = false;
      let within = false;
      for (const distance of distances) {
        inside = near(inside, decimal(String(distance)).dividedBy(100), '5');
        within = within ? distance <= 550 : distance <= 500;
        if (inside !== within) return false;
      }
      return true;
    }),
    RUNS,
  );
}

describe('a figure that swings around its level', () => {
  test('has come to it at the level, and has left only a tenth beyond', () => distancesHold(isNear));

  test.each<[string, typeof isNear]>([
    ['leaves at the level itself', (_was, distance, percent) => isNear(false, distance, percent)],
    ['comes to it a tenth early', (_was, distance, percent) => isNear(true, distance, percent)],
    ['misses the level itself', (was, distance, percent) => isNear(was, distance, percent) && (was || distance.lessThan(decimal(percent)))],
  ])('one that %s is found', (_name, near) => {
    expect(() => distancesHold(near)).toThrow(/Property failed/);
  });
});

interface Telling {
  readonly afterFact: typeof afterFact;
  readonly dueAtMs: typeof dueAtMs;
  readonly composed: typeof composed;
}

const step = fc.oneof(
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('fact' as const), subject: fc.constantFrom('a', 'b') }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('wait' as const), minutes: fc.integer({ min: 1, max: 40 }) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('snooze' as const), minutes: fc.integer({ min: 1, max: 60 }) }) },
);
const life = fc.record({ steps: fc.array(step, { maxLength: 50, size: 'max' }), cooldownMinutes: fc.constantFrom(0, 5, 30), digestMinutes: fc.option(fc.constantFrom(1, 10, 30), { nil: null }), maxLength: fc.constantFrom(170, 400, 4_096) });
type Life = typeof life extends fc.Arbitrary<infer Value> ? Value : never;

interface Raised {
  readonly id: string;
  readonly atMs: number;
  readonly snoozedUntilMs: number;
  dueMs: number;
  sentMs: number | null;
}

/** What the store does: a notice per alert that is told, a message of all that is due. */
function lived({ steps, cooldownMinutes, digestMinutes, maxLength }: Life, telling: Telling): { readonly raised: readonly Raised[]; readonly messages: readonly (readonly string[])[]; readonly facts: number; readonly accounted: number } {
  let nowMs = AT_MS;
  let snoozedUntilMs = 0;
  let facts = 0;
  let suppressedInTold = 0;
  const memories = new Map<string, SubjectMemory>();
  const raised: Raised[] = [];
  const messages: string[][] = [];
  const bodyOf = new Map<string, ToldAlert>();
  const send = (): void => {
    for (;;) {
      const due = raised.filter(({ sentMs, dueMs }) => sentMs === null && dueMs <= nowMs);
      if (due.length === 0) return;
      const told = due.map(({ id }) => bodyOf.get(id) as ToldAlert);
      const message = telling.composed(told, maxLength);
      expect(message.count).toBeGreaterThan(0);
      expect(message.body.length).toBeLessThanOrEqual(maxLength);
      messages.push(message.body.match(/alr_\d{4}/g) ?? []);
      for (const each of due.slice(0, message.count)) each.sentMs = nowMs;
    }
  };
  for (const each of steps) {
    if (each.kind === 'wait') {
      // Whatever falls due on the way is sent when it does.
      const untilMs = nowMs + each.minutes * MINUTE;
      for (; nowMs < untilMs; nowMs += MINUTE) send();
    } else if (each.kind === 'snooze') {
      snoozedUntilMs = nowMs + each.minutes * MINUTE;
    } else {
      facts += 1;
      const memory = memories.get(each.subject) ?? { raisedAtMs: null, suppressed: 0 };
      const { told, memory: next } = telling.afterFact(memory, cooldownMinutes * 60, nowMs);
      memories.set(each.subject, next);
      if (!told) continue;
      suppressedInTold += memory.suppressed;
      const id = `alr_${String(raised.length).padStart(4, '0')}`;
      const open = raised.filter(({ sentMs, dueMs }) => sentMs === null && dueMs > nowMs).map(({ dueMs }) => dueMs);
      const dueMs = telling.dueAtMs({ digestMinutes, snoozedUntil: snoozedUntilMs === 0 ? null : at(snoozedUntilMs) }, nowMs, open.length === 0 ? null : Math.min(...open));
      raised.push({ id, atMs: nowMs, snoozedUntilMs, dueMs, sentMs: null });
      bodyOf.set(id, { id, title: `about ${each.subject}`, body: 'words', raisedAt: at(nowMs), suppressed: memory.suppressed, ruleName: 'r' });
    }
    send();
  }
  nowMs += 200 * MINUTE;
  send();
  return { raised, messages, facts, accounted: raised.length + suppressedInTold + [...memories.values()].reduce((sum, { suppressed }) => sum + suppressed, 0) };
}

function tellingHolds(telling: Telling): void {
  fc.assert(
    fc.property(life, (given) => {
      const { raised, messages, facts, accounted } = lived(given, telling);
      // Each alert is in exactly one message, in the order in which they were raised or fell due; no fact is forgotten.
      expect(messages.flat().sort()).toEqual(raised.map(({ id }) => id).sort());
      expect(accounted).toBe(facts);
      const digestMs = (given.digestMinutes ?? 0) * MINUTE;
      for (const { atMs, snoozedUntilMs, dueMs, sentMs } of raised) {
        // Never in a snooze, never later than snooze or digest ask for, and no earlier than a digest that was opened by it or before it.
        expect(dueMs).toBeGreaterThanOrEqual(Math.max(atMs, snoozedUntilMs));
        expect(dueMs).toBeLessThanOrEqual(Math.max(snoozedUntilMs, atMs + digestMs, ...raised.filter((other) => other.atMs <= atMs && other.dueMs > atMs).map((other) => other.dueMs)));
        expect(sentMs ?? 0).toBeGreaterThanOrEqual(dueMs);
      }
      // A digest gathers: what is raised while one is open goes with it, so two that were asked of no snooze are a whole digest apart.
      if (given.digestMinutes !== null && raised.every(({ snoozedUntilMs }) => snoozedUntilMs === 0)) {
        const dues = [...new Set(raised.map(({ dueMs }) => dueMs))].sort((a, b) => a - b);
        dues.forEach((due, n) => expect(n === 0 || due - (dues[n - 1] ?? 0) >= digestMs).toBe(true));
      }
    }),
    RUNS,
  );
}

describe('what rules tell', () => {
  const real: Telling = { afterFact, dueAtMs, composed };
  test('arrives once each, in no snooze, with its digest, and accounts for every fact', () => tellingHolds(real));

  test.each<[string, Telling]>([
    ['forgets what the cooldown kept silent', { ...real, afterFact: (memory, seconds, atMs) => { const { told, memory: next } = afterFact(memory, seconds, atMs); return { told, memory: { ...next, suppressed: 0 } }; } }],
    ['wakes people out of a snooze', { ...real, dueAtMs: (rule, atMs, open) => dueAtMs({ ...rule, snoozedUntil: null }, atMs, open) }],
    ['opens a digest for every alert', { ...real, dueAtMs: (rule, atMs) => dueAtMs(rule, atMs, null) }],
    ['puts a digest off with every alert', { ...real, dueAtMs: (rule, atMs, open) => (open === null ? dueAtMs(rule, atMs, open) : open + MINUTE) }],
    ['loses what did not fit', { ...real, composed: (alerts, length) => ({ ...composed(alerts, length), count: alerts.length }) }],
    ['sends the last of a full message again', { ...real, composed: (alerts, length) => { const made = composed(alerts, length); return { ...made, count: made.count > 1 ? made.count - 1 : made.count }; } }],
  ])('a telling that %s is found', (_name, telling) => {
    expect(() => tellingHolds(telling)).toThrow(/Property failed/);
  });

  test('the cooldown keeps two alerts on one subject apart, and is found out where each silent one begins it anew', () => {
    const apart = (after: typeof afterFact): void =>
      fc.assert(
        fc.property(fc.array(fc.integer({ min: 0, max: 20 }), { maxLength: 40, size: 'max' }), (gaps) => {
          let memory: SubjectMemory = { raisedAtMs: null, suppressed: 0 };
          let [nowS, lastS] = [0, -Infinity];
          for (const gap of gaps) {
            nowS += gap;
            const { told, memory: next } = after(memory, 10, nowS * 1_000);
            if (told !== (nowS - lastS >= 10)) return false;
            if (told) lastS = nowS;
            memory = next;
          }
          return true;
        }),
        RUNS,
      );
    apart(afterFact);
    expect(() => apart((memory, seconds, atMs) => { const { told, memory: next } = afterFact(memory, seconds, atMs); return { told, memory: { ...next, raisedAtMs: atMs } }; })).toThrow(/Property failed/);
  });
});
