/** Rules that are changed while they are judged, on a real PostgreSQL. Time is the test's. */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { priceTriggerId } from '../../../src/activities/alert-judge';
import type { AlertRule } from '../../../src/domain/alert';
import { alertPorts } from '../../../src/main/alerts';
import type { Platform } from '../../../src/main/platform';
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
