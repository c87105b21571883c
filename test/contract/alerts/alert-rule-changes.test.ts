/** Rules that are changed while they are judged, on a real PostgreSQL. Time is the test's. */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { priceTriggerId } from '../../../src/activities/alert-judge';
import type { AlertRule } from '../../../src/domain/alert';
import { alertPorts } from '../../../src/main/alerts';
import type { Platform } from '../../../src/main/platform';
import { AlertLevels } from '../../../src/store/alerts/alert-levels';
import type { StoreCore } from '../../../src/store/core';
import { ACTOR, AlertWorld } from './alert-world';
import { SYMBOL } from '../store/harness';

let on: AlertWorld;
beforeAll(async () => {
  on = await AlertWorld.open();
});
afterAll(() => on.close());
beforeEach(() => on.begin());

const PRICE = { venue: 'paper', symbol: SYMBOL, direction: 'atOrAbove', price: '3', priceType: 'last', repeats: true, rearmBps: 100 } as const;

/** As the API asks for changes; Temporal takes every hint. */
function asked(): ReturnType<typeof alertPorts>['alertRules'] {
  const temporal = { client: { workflow: { signalWithStart: () => Promise.resolve() } } };
  return alertPorts({ store: on.world.store, settings: {}, temporal, logger: { warn: () => undefined } } as unknown as Platform).alertRules;
}

async function statusOf(rule: AlertRule, step = 0): Promise<string | undefined> {
  return (await on.world.store.triggers.byIds([priceTriggerId(rule, step)]))[0]?.status;
}

describe('a rule of a price', () => {
  test('goes on waiting for its price where a change of it is refused', async () => {
    const rule = await on.makeRule({ kind: 'price', parameters: PRICE });
    await on.judge();
    await expect(asked().change(rule.id, on.world.userId, { parameters: { ...PRICE, price: '4' }, channelIds: ['of-nobody'] }, ACTOR)).rejects.toMatchObject({ code: 'NOT_FOUND' });
    await expect(asked().change(rule.id, on.world.userId, { enabled: false, accountIds: ['of-nobody'] }, ACTOR)).rejects.toMatchObject({ code: 'NOT_FOUND' });
    expect(await statusOf(rule)).toBe('ARMED');
  });

  test('is waited for by its new terms once it is changed, by none once it is turned off or deleted', async () => {
    const rule = await on.makeRule({ kind: 'price', parameters: PRICE });
    await on.judge();
    const changed = await asked().change(rule.id, on.world.userId, { parameters: { ...PRICE, price: '4' } }, ACTOR);
    await on.judge();
    expect([await statusOf(rule), await statusOf(changed)]).toEqual(['DISARMED', 'ARMED']);
    await asked().change(rule.id, on.world.userId, { enabled: false }, ACTOR);
    await on.judge();
    expect(await statusOf(changed)).toBe('DISARMED');
    const again = await asked().change(rule.id, on.world.userId, { enabled: true }, ACTOR);
    await on.judge();
    expect(await statusOf(again)).toBe('ARMED');
    await asked().remove(rule.id, on.world.userId, ACTOR);
    await on.judge();
    expect(await statusOf(again)).toBe('DISARMED');
    expect((await on.world.store.triggers.waiting('paper')).filter(({ id }) => id.includes(rule.id))).toEqual([]);
  });

  test('is changed also where its old trigger cannot be disarmed, which then tells nobody', async () => {
    const rule = await on.makeRule({ kind: 'price', parameters: PRICE });
    await on.judge();
    const store = Object.create(on.world.store, { triggers: { value: { disarm: () => Promise.reject(new Error('the database is away')) } } }) as Platform['store'];
    const warned: unknown[] = [];
    const ports = alertPorts({ store, settings: {}, temporal: { client: { workflow: { signalWithStart: () => Promise.resolve() } } }, logger: { warn: (...said: unknown[]) => warned.push(said) } } as unknown as Platform);
    expect((await ports.alertRules.change(rule.id, on.world.userId, { enabled: false }, ACTOR)).enabled).toBe(false);
    expect(warned).toHaveLength(1);
    await on.judge();
    expect(await on.titles(rule)).toEqual([]);
  });

  test('whose trigger was taken away is armed anew, on the side that it waited for', async () => {
    const rule = await on.makeRule({ kind: 'price', parameters: PRICE });
    await on.judge();
    await on.world.store.triggers.disarm(priceTriggerId(rule, 0));
    await on.judge();
    const [trigger] = await on.world.store.triggers.byIds([priceTriggerId(rule, 2)]);
    expect(trigger).toMatchObject({ status: 'ARMED', parameters: { triggerPrice: '3' } });
    await on.judge();
    expect(await statusOf(rule, 4)).toBeUndefined();
    expect((await on.world.store.alertRules.get(rule.id, on.world.userId)).revision).toBe(rule.revision);
  });
});

describe('a rule of a figure that is changed while the figure is judged', () => {
  /** An account with a position, its rule, and a check that takes as long as `between`. */
  async function lossOf(amount: string): Promise<{ readonly rule: AlertRule; readonly check: (between?: () => Promise<unknown>) => Promise<number> }> {
    const held = await on.world.newAccount();
    const writer = await on.world.store.watching.takeEpoch(`account/${held.id}`, 'test');
    const rule = await on.makeRule({ kind: 'loss', parameters: { amount }, accountIds: [held.id] });
    const position = { venueSymbol: 'XRPUSDT', side: 'long', quantity: '10', entryPrice: '2', markPrice: '2', leverage: '5', marginMode: 'cross', margin: '4', liquidationPrice: null, unrealizedPnl: '0' } as const;
    on.world.marks.set(SYMBOL, '2');
    await on.world.store.watching.putPositions(writer, held.id, [position as never], on.world.clock.ms, { complete: true });
    expect(await on.world.store.alertLevels.check(writer, held.id)).toBe(0);
    on.world.marks.set(SYMBOL, '1.4');
    // Once the rules are read, and before the user is locked.
    const check = async (between: () => Promise<unknown> = () => Promise.resolve()): Promise<number> => {
      on.world.clock.ms += 1_000;
      const { core } = on.world.store.alertLevels as unknown as { readonly core: StoreCore };
      const database = Object.create(core.database, {
        changing: {
          value: async (...given: Parameters<StoreCore['database']['changing']>) => {
            await between();
            return core.database.changing(...given);
          },
        },
      }) as StoreCore['database'];
      return new AlertLevels({ ...core, database }).check(writer, held.id);
    };
    return { rule, check };
  }
  const changed = (rule: AlertRule, change: Parameters<ReturnType<typeof asked>['change']>[2]) => () => asked().change(rule.id, on.world.userId, change, ACTOR);

  test('is judged by its new terms, the same day too', async () => {
    const { rule, check } = await lossOf('5');
    expect(await check(changed(rule, { parameters: { amount: '6' } }))).toBe(0);
    expect(await check()).toBe(1);
    expect(await check()).toBe(0);
    expect(await on.titles(rule)).toHaveLength(1);
  });

  test('tells nothing once it is turned off or deleted, and is heard again once it is turned on', async () => {
    const { rule, check } = await lossOf('5');
    expect(await check(changed(rule, { enabled: false }))).toBe(0);
    await asked().change(rule.id, on.world.userId, { enabled: true }, ACTOR);
    expect(await check()).toBe(1);
    const other = await lossOf('5');
    expect(await other.check(() => asked().remove(other.rule.id, on.world.userId, ACTOR))).toBe(0);
    expect(await on.titles(other.rule)).toEqual([]);
  });
});
