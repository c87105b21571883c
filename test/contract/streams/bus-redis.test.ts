/** What Redis alone can do to us: stall, forget everything, refuse to write. */
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { Redis } from 'ioredis';
import { systemClock } from '../../../src/domain/clock';
import type { Bus, BusReport } from '../../../src/streams/bus/bus';
import { TOPICS } from '../../../src/streams/bus/topics';
import { hasRedis } from '../../support/servers';
import { busHarnesses, RedisHarness } from './bus-harness';
import { until } from './bus-until';

const STILL = { capacity: 100, refillPerSecond: 1 / 3600, reserve: 0.2 };

// Says so aloud, or fails in CI.
busHarnesses();
(hasRedis() ? describe : describe.skip)('the bus over Redis', () => {
  const harness = new RedisHarness();
  let bus: Bus;
  let reports: BusReport[];
  let control: Redis;
  beforeAll(async () => {
    await harness.start();
    control = new Redis(harness.server?.url ?? '');
  });
  afterEach(() => bus.close());
  afterAll(async () => {
    control.disconnect();
    await harness.stop();
  });
  const ready = async (patient = true): Promise<void> => {
    reports = [];
    bus = harness.open((report) => reports.push(report), systemClock, patient);
    await until('a healthy bus', () => bus.healthy());
  };

  test('a Redis that stands still holds nobody: budgets are answered alone, prices wait, and the newest arrives when it goes on', async () => {
    await ready(false);
    const heard: number[] = [];
    bus.subscribe(TOPICS.price('stall', 'BTC-PERP'), ({ n }) => heard.push(Number(n)));
    await bus.synced();
    await harness.server?.kill('SIGSTOP');
    let granted = 0;
    for (let n = 0; n < 5; n += 1) granted += (await bus.rateBudget.take({ scope: 'stall', rule: STILL, weight: 4, class: 'exit' })).granted ? 1 : 0;
    // An eighth of 100 is 12.5.
    expect(granted).toBe(3);
    for (let n = 1; n <= 10_000; n += 1) bus.publish(TOPICS.price('stall', 'BTC-PERP'), { n });
    await until('it is known to be away', () => !bus.healthy());
    await harness.server?.kill('SIGCONT');
    await until('the newest price', () => heard.at(-1) === 10_000);
    await until('it is well again', () => bus.healthy());
    // What the two thousand in flight told, and then the newest alone.
    expect(heard.length).toBeLessThanOrEqual(2_001);
    expect(heard).toEqual([...heard].sort((a, b) => a - b));
  });

  test('FLUSHALL: a ban still binds whoever heard of it, budgets go on, prices go on', async () => {
    await ready();
    await bus.rateBudget.ban('flushed', Date.now() + 3_600_000);
    await bus.rateBudget.take({ scope: 'flushed2', rule: STILL, weight: 80, class: 'entry' });
    await control.flushall();
    expect(await bus.rateBudget.take({ scope: 'flushed', rule: STILL, weight: 1, class: 'exit' })).toMatchObject({ granted: false, bannedByVenue: true });
    expect(await bus.rateBudget.take({ scope: 'flushed2', rule: STILL, weight: 1, class: 'exit' })).toMatchObject({ granted: true });
    const heard: number[] = [];
    bus.subscribe(TOPICS.price('flushed', 'BTC-PERP'), ({ n }) => heard.push(Number(n)));
    // Otherwise the newest value, fetched, and the price itself may both be heard, between two looks.
    await bus.synced();
    bus.publish(TOPICS.price('flushed', 'BTC-PERP'), { n: 1 });
    await until('the price', () => heard.length === 1);
  });

  test('SCRIPT FLUSH between two requests costs nothing', async () => {
    await ready();
    for (let n = 0; n < 3; n += 1) {
      expect(await bus.rateBudget.take({ scope: 'scripts', rule: STILL, weight: 1, class: 'entry' })).toMatchObject({ granted: true });
      await control.script('FLUSH');
    }
    expect(reports.filter(({ kind }) => kind === 'budgetAlone')).toEqual([]);
  });

  test('a Redis that refuses to write does not make us repeat ourselves: what it refused is reported', async () => {
    await ready();
    await control.config('SET', 'maxmemory', '1');
    try {
      for (let n = 0; n < 3; n += 1) bus.publish(TOPICS.price('full', 'BTC-PERP'), { n });
      await until('the reports', () => reports.filter(({ kind }) => kind === 'dropped').length === 3);
      expect(await bus.rateBudget.take({ scope: 'full', rule: STILL, weight: 1, class: 'entry' })).toMatchObject({ granted: true });
      expect(reports.filter(({ kind }) => kind === 'budgetAlone').length).toBe(1);
    } finally {
      await control.config('SET', 'maxmemory', '0');
    }
  });
});
