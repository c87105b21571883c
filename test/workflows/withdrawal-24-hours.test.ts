/**
 * Withdrawals with their hours: a new address waits 24 h, and so long a second person has for their word. Temporal's test server skips the
 * hours; the settings are the defaults.
 */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { createWithdrawalActivities } from '../../src/activities/withdrawal-activities';
import { isoTime } from '../../src/domain/clock';
import type { Withdrawal } from '../../src/domain/withdrawal';
import { WithdrawalGateway } from '../../src/temporal/withdrawal-gateway';
import { withdrawalWorkflowId } from '../../src/temporal/workflow-ids';
import { CONFIRMATIONS, openWithdrawalWorld, type WithdrawalWorld } from '../contract/deposits/withdrawal-world';
import { findTestServer } from '../support/temporal-test-server';
import { HOUR_MS, SkippedHours } from './skipped-hours';

const found = findTestServer();
if ('missing' in found) process.stderr.write(`SKIPPED: withdrawals over 24 h: no Temporal test server: ${found.missing}\n`);
const WAITS = { pollMs: 5_000, maxPollMs: 300_000 };

let world: WithdrawalWorld;
let hours: SkippedHours;

const run = 'program' in found ? describe : describe.skip;
run('24 hours by Temporal\'s clock', () => {
  let gateway: WithdrawalGateway;
  beforeAll(async () => {
    if ('missing' in found) throw new Error(found.missing);
    world = await openWithdrawalWorld();
    hours = await SkippedHours.open(found.program, world.clock);
    gateway = new WithdrawalGateway(hours.environment.client, WAITS);
    await hours.deploy('deploy-1', createWithdrawalActivities(world.workerOver().path));
  }, 300_000);
  afterAll(async () => {
    await hours.close();
    await world.closeAll();
  });

  const wish = async (person: Awaited<ReturnType<WithdrawalWorld['person']>>): Promise<Withdrawal> => world.wish(person, '40', { approveBefore: isoTime((await hours.now()) + 24 * HOUR_MS) });
  const ended = (id: string): Promise<unknown> => hours.environment.client.workflow.getHandle(withdrawalWorkflowId(id)).result();

  test('a new address is refused in its 24th hour, and taken after it', async () => {
    await hours.now();
    const person = await world.person('1000', { usable: false });
    await hours.pass(23.5);
    const early = await wish(person);
    expect((await gateway.begin(early)).refused).toMatchObject({ code: 'UNPROCESSABLE' });
    expect(await world.store.withdrawals.byId(early.id)).toBeNull();
    await hours.pass(1);
    expect(await gateway.begin(await wish(person))).toEqual({ state: 'AWAITING_APPROVAL', refused: null });
  }, 120_000);

  test('what nobody approves ends after 24 h, not before, over a deploy, and its amount is free again', async () => {
    await hours.now();
    const person = await world.person();
    const asked = await wish(person);
    await gateway.begin(asked);
    await hours.pass(12);
    await hours.deploy('deploy-2', createWithdrawalActivities(world.workerOver().path));
    await hours.pass(11.5);
    expect(await world.read(asked.id)).toMatchObject({ state: 'AWAITING_APPROVAL' });
    expect(await world.books(person.userId)).toMatchObject({ wallet: '960', reserved: '40' });
    await hours.pass(1);
    await ended(asked.id);
    expect(await world.read(asked.id)).toMatchObject({ state: 'EXPIRED' });
    expect(await world.books(person.userId)).toEqual({ wallet: '1000', transfers: '-1000' });
    expect((await gateway.decide(asked, 'approve', 'too late', 'key:approves')).refused).toMatchObject({ code: 'CONFLICT' });
    expect(await world.paidTo(person.target)).toEqual([]);
  }, 120_000);

  test('what is approved in its last hour is paid, once', async () => {
    await hours.now();
    const person = await world.person();
    const asked = await wish(person);
    await gateway.begin(asked);
    await hours.pass(23.5);
    expect(await gateway.decide(asked, 'approve', 'known', 'key:approves')).toEqual({ state: 'APPROVED', refused: null });
    await hours.pass(0.5);
    await world.chain.mine(CONFIRMATIONS);
    await hours.pass(1);
    await ended(asked.id);
    expect(await world.read(asked.id)).toMatchObject({ state: 'COMPLETED' });
    expect(await world.paidTo(person.target)).toEqual(['40']);
  }, 120_000);
});
