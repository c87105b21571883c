/** What every bus between the processes promises, over the loopback hub and over Redis. */
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import type { RateBudgetRule } from '../../../src/domain/venue';
import type { BudgetClass } from '../../../src/domain/rate-budget';
import type { Bus, BusReport, JsonObject } from '../../../src/streams/bus/bus';
import { TOPICS } from '../../../src/streams/bus/topics';
import { busHarnesses } from './bus-harness';
import { until } from './bus-until';

/** Refills one token an hour: what a test counts does not grow while it counts. */
const STILL: RateBudgetRule = { capacity: 100, refillPerSecond: 1 / 3600, reserve: 0.2 };

describe.each(busHarnesses())('a bus over $name', (harness) => {
  const opened: Bus[] = [];
  const open = (onReport?: (report: BusReport) => void): Bus => {
    const bus = harness.open(onReport);
    opened.push(bus);
    return bus;
  };
  const ready = async (onReport?: (report: BusReport) => void): Promise<Bus> => {
    const bus = open(onReport);
    await until('a healthy bus', () => bus.healthy());
    return bus;
  };
  beforeAll(() => harness.start());
  afterEach(async () => {
    await Promise.all(opened.splice(0).map((bus) => bus.close()));
  });
  afterAll(() => harness.stop());

  test('what one process publishes, each subscriber in every process hears once, in order', async () => {
    const [one, two] = [await ready(), await ready()];
    const heard: number[][] = [[], [], []];
    one.subscribe('trades/paper/BTC-PERP', ({ n }) => heard[0]?.push(Number(n)));
    two.subscribe('trades/paper/BTC-PERP', ({ n }) => heard[1]?.push(Number(n)));
    two.subscribe('trades/paper/', ({ n }) => heard[2]?.push(Number(n)));
    await Promise.all([one.synced(), two.synced()]);
    for (let n = 0; n < 500; n += 1) one.publish('trades/paper/BTC-PERP', n % 2 === 0 ? { n } : JSON.stringify({ n }));
    one.publish('trades/paper/ETH-PERP', { n: -1 });
    const expected = Array.from({ length: 500 }, (_, n) => n);
    await until('the last on the prefix', () => heard[2]?.at(-1) === -1);
    await until('the last elsewhere', () => heard[0]?.length === 500 && heard[1]?.length === 500);
    expect(heard).toEqual([expected, expected, [...expected, -1]]);
  });

  test('a late joiner is given the newest value of each retained topic, and of no other', async () => {
    const publisher = await ready();
    for (const n of [1, 2, 3]) publisher.publish(TOPICS.price('late', 'BTC-PERP'), { n });
    publisher.publish(TOPICS.price('late', 'ETH-PERP'), { n: 9 });
    publisher.publish(TOPICS.trades('late', 'BTC-PERP'), { n: 7 });
    await publisher.synced();
    const joiner = await ready();
    const heard: [string, number][] = [];
    const listen = ({ n }: JsonObject, topic: string): void => void heard.push([topic, Number(n)]);
    joiner.subscribe('price/late/', listen);
    joiner.subscribe('trades/late/', listen);
    await joiner.synced();
    expect(heard.sort()).toEqual([['price/late/BTC-PERP', 3], ['price/late/ETH-PERP', 9]]);
    // A second subscriber of the same process is given them too, and the first is not told again.
    const second: number[] = [];
    joiner.subscribe('price/late/', ({ n }) => second.push(Number(n)));
    await joiner.synced();
    expect(second.sort()).toEqual([3, 9]);
    expect(heard.length).toBe(2);
  });

  test('who unsubscribed hears no more, others still do', async () => {
    const bus = await ready();
    const heard: string[] = [];
    const stop = bus.subscribe(TOPICS.accountWake('a1'), () => heard.push('stopped'));
    bus.subscribe(TOPICS.accountWake('a1'), () => heard.push('kept'));
    await bus.synced();
    bus.publish(TOPICS.accountWake('a1'), {});
    await until('both', () => heard.length === 2);
    stop();
    bus.publish(TOPICS.accountWake('a1'), {});
    await until('the other', () => heard.length === 3);
    await bus.synced();
    expect(heard.slice().sort()).toEqual(['kept', 'kept', 'stopped']);
  });

  test('a listener that fails is reported and harms nobody else', async () => {
    const reports: BusReport[] = [];
    const bus = await ready((report) => reports.push(report));
    const heard: number[] = [];
    bus.subscribe(TOPICS.accountWake('a2'), () => {
      throw new Error('planted');
    });
    bus.subscribe(TOPICS.accountWake('a2'), ({ n }) => heard.push(Number(n)));
    await bus.synced();
    bus.publish(TOPICS.accountWake('a2'), { n: 1 });
    bus.publish(TOPICS.accountWake('a2'), { n: 2 });
    await until('both', () => heard.length === 2);
    expect(reports.filter(({ kind }) => kind === 'listenerFailed')).toEqual(Array(2).fill({ kind: 'listenerFailed', topic: 'control/account/a2', reason: 'planted' }));
  });

  test.each(['no-slash-but-star*', 'price/paper/', 'price//', 'a b', 'price/a\nb', ''])('publishing on %j is refused as no topic', async (topic) => {
    const bus = open();
    expect(() => bus.publish(topic, {})).toThrow(RangeError);
  });

  test('a message too large is refused before it is sent', async () => {
    const bus = open();
    expect(() => bus.publish(TOPICS.book('paper', 'BTC-PERP'), { text: 'x'.repeat(300_000) })).toThrow(/larger than 262144 bytes/);
  });

  describe('the request budget', () => {
    const take = async (bus: Bus, scope: string, budgetClass: BudgetClass, weight = 1) => bus.rateBudget.take({ scope, rule: STILL, weight, class: budgetClass });
    const grants = async (buses: readonly Bus[], scope: string, budgetClass: BudgetClass, tries: number): Promise<number> => {
      const verdicts = await Promise.all(Array.from({ length: tries }, (_, index) => take(buses[index % buses.length] as Bus, scope, budgetClass)));
      return verdicts.filter(({ granted }) => granted).length;
    };

    test('is one over all processes: entries and reads get 80 of 100, exits the reserve of 20, and no more', async () => {
      const buses = [await ready(), await ready(), await ready(), await ready()];
      expect(await grants(buses, 'v1', 'entry', 60)).toBe(60);
      expect(await grants(buses, 'v1', 'read', 60)).toBe(20);
      expect(await grants(buses, 'v1', 'entry', 10)).toBe(0);
      expect(await grants(buses, 'v1', 'exit', 60)).toBe(20);
      const refused = await take(buses[0] as Bus, 'v1', 'exit');
      expect(refused).toMatchObject({ granted: false, bannedByVenue: false });
      // One token an hour.
      expect(refused.granted ? 0 : refused.retryAfterMs).toBeGreaterThan(3_000_000);
    });

    test('refills: after the wait a refusal names, the same request is granted', async () => {
      const bus = await ready();
      const rule: RateBudgetRule = { capacity: 10, refillPerSecond: 200, reserve: 0.5 };
      const request = { scope: 'v2', rule, weight: 5, class: 'entry' as const };
      // Asked at once, so that nothing refills between: one of them must wait.
      const verdicts = await Promise.all([bus.rateBudget.take(request), bus.rateBudget.take(request)]);
      expect(verdicts.map(({ granted }) => granted).sort()).toEqual([false, true]);
      const refused = verdicts.find(({ granted }) => !granted);
      const waitMs = refused && !refused.granted ? refused.retryAfterMs : 0;
      expect(waitMs).toBeGreaterThan(0);
      expect(waitMs).toBeLessThanOrEqual(25);
      await new Promise((resolve) => setTimeout(resolve, waitMs + 1));
      expect(await bus.rateBudget.take(request)).toMatchObject({ granted: true });
    });

    test('a weight no wait could grant is an error, not a refusal', async () => {
      const bus = await ready();
      await expect(take(bus, 'v3', 'entry', 81)).rejects.toThrow(RangeError);
      expect(await take(bus, 'v3', 'exit', 100)).toMatchObject({ granted: true });
    });

    test('a venue\'s ban binds every process, exits and addresses too, until it is over; a shorter one does not end it', async () => {
      const [one, two] = [await ready(), await ready()];
      await one.rateBudget.ban('v4', Date.now() + 3_600_000);
      await one.rateBudget.ban('v4', Date.now() + 1_000);
      for (const bus of [one, two]) {
        for (const [scope, budgetClass] of [['v4', 'exit'], ['v4', 'entry'], ['v4/0xabc', 'exit']] as const) {
          const verdict = await take(bus, scope, budgetClass);
          expect(verdict).toMatchObject({ granted: false, bannedByVenue: true });
          expect(verdict.granted ? 0 : verdict.retryAfterMs).toBeGreaterThan(3_500_000);
        }
      }
      expect(await take(two, 'v5', 'entry')).toMatchObject({ granted: true });
      await two.rateBudget.ban('v6', Date.now() - 1);
      expect(await take(one, 'v6', 'entry')).toMatchObject({ granted: true });
    });
  });

  describe('limits on callers', () => {
    const RULE: RateBudgetRule = { capacity: 10, refillPerSecond: 1 / 3600, reserve: 0.2 };
    const ask = (bus: Bus, name: string, weight = 1, budgetClass: BudgetClass = 'entry') => bus.callerLimits.take({ scope: `~caller/${name}`, rule: RULE, weight, class: budgetClass, caller: true });

    test('are one over all processes, and tell what is left', async () => {
      const buses = [await ready(), await ready(), await ready()];
      const verdicts = await Promise.all(Array.from({ length: 30 }, (_, index) => ask(buses[index % buses.length] as Bus, 'orders/key/k1')));
      expect(verdicts.filter(({ granted }) => granted)).toHaveLength(8);
      expect(verdicts.flatMap((verdict) => (verdict.granted ? [verdict.remaining] : [])).sort()).toEqual([0, 1, 2, 3, 4, 5, 6, 7]);
      expect(await ask(buses[0] as Bus, 'orders/key/k1', 1, 'exit')).toMatchObject({ granted: true });
      expect(await ask(buses[1] as Bus, 'orders/key/k2')).toEqual({ granted: true, remaining: 7 });
    });

    test('let one large call through when nothing was used, and hold back what follows', async () => {
      const bus = await ready();
      expect((await ask(bus, 'batch', 100)).granted).toBe(true);
      const after = await ask(bus, 'batch', 1, 'exit');
      // 90 are owed and one is asked for, at one an hour.
      expect(after.granted ? 0 : after.retryAfterMs).toBeGreaterThan(80 * 3_600_000);
    });

    test('a venue\'s ban binds no caller', async () => {
      const bus = await ready();
      await bus.rateBudget.ban('caller', Date.now() + 3_600_000);
      expect((await ask(bus, 'banned')).granted).toBe(true);
    });

    test('hold whole in each process while what stands between is away, said once', async () => {
      const reports: BusReport[] = [];
      const bus = await ready((report) => reports.push(report));
      await harness.kill();
      await until('it knows', () => !bus.healthy());
      const verdicts = [];
      for (let n = 0; n < 12; n += 1) verdicts.push(await ask(bus, 'alone'));
      expect(verdicts.filter(({ granted }) => granted)).toHaveLength(8);
      expect(reports.filter(({ kind }) => kind === 'budgetAlone')).toHaveLength(1);
      await harness.bringBack();
    });
  });

  describe('when what stands between is lost', () => {
    test('budgets go on with an eighth each, the reserve kept; a ban that was heard still binds; prices are told again on return', async () => {
      const reports: BusReport[] = [];
      const [one, two] = [await ready((report) => reports.push(report)), await ready()];
      const take = async (bus: Bus, scope: string, budgetClass: BudgetClass) => bus.rateBudget.take({ scope, rule: STILL, weight: 0.5, class: budgetClass });
      const heard: number[] = [];
      two.subscribe(TOPICS.price('lost', 'BTC-PERP'), ({ n }) => heard.push(Number(n)));
      await two.synced();
      await one.rateBudget.ban('v7', Date.now() + 3_600_000);
      await until('the ban in the other process', async () => !(await take(two, 'v7', 'exit')).granted);

      await harness.kill();
      await until('both know', () => !one.healthy() && !two.healthy());
      // An eighth of 100, of which a fifth is reserved: 10 for entries, 12.5 in all.
      const counts = { entry: 0, exit: 0 };
      for (const budgetClass of ['entry', 'exit'] as const) for (let tries = 0; tries < 60; tries += 1) counts[budgetClass] += (await take(one, 'v8', budgetClass)).granted ? 0.5 : 0;
      expect(counts).toEqual({ entry: 10, exit: 2.5 });
      expect(reports.some(({ kind }) => kind === 'budgetAlone')).toBe(true);
      expect(await take(two, 'v7', 'exit')).toMatchObject({ granted: false, bannedByVenue: true });
      for (const n of [1, 2, 3]) one.publish(TOPICS.price('lost', 'BTC-PERP'), { n });
      await expect(one.synced()).rejects.toThrow();

      await harness.bringBack();
      await until('both are back', () => one.healthy() && two.healthy());
      await until('the newest price', () => heard.length > 0);
      await Promise.all([one.synced(), two.synced()]);
      expect(heard).toEqual([3]);
      // What stands between forgot the ban, the processes did not.
      expect(await take(two, 'v7', 'exit')).toMatchObject({ granted: false, bannedByVenue: true });
      one.publish(TOPICS.price('lost', 'BTC-PERP'), { n: 4 });
      await until('the next price', () => heard.at(-1) === 4);
      expect(await take(one, 'v9', 'entry')).toMatchObject({ granted: true });
    });

    test('a bus can be closed while it is away', async () => {
      await harness.kill();
      const bus = open();
      bus.publish(TOPICS.price('paper', 'BTC-PERP'), { n: 1 });
      expect(bus.healthy()).toBe(false);
      await bus.close();
      await harness.bringBack();
    });
  });
});
