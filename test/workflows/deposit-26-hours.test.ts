/**
 * S30 with its hours: the deposit's workflow and activities over two real chains and a bridge that says PENDING for 26 h, through two
 * deploys, then NOT_FOUND, and then pays. Temporal's test server skips the hours; nothing else is made shorter.
 */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { createDepositActivities } from '../../src/activities/deposit-activities';
import type { DepositStep } from '../../src/domain/deposit';
import { DepositGateway } from '../../src/temporal/deposit-gateway';
import { depositWorkflowId } from '../../src/temporal/workflow-ids';
import { CONFIRMATIONS, openDepositWorld, type DepositWorld } from '../contract/deposits/deposit-world';
import { findTestServer } from '../support/temporal-test-server';
import { HOUR_MS, SkippedHours } from './skipped-hours';

const found = findTestServer();
if ('missing' in found) process.stderr.write(`SKIPPED: S30 over 26 h: no Temporal test server: ${found.missing}\n`);
/** As SUREFILL_DEPOSIT_* has them by default, but that it is looked at each half hour in the end: 26 h are 60 looks then, not 320. */
const WAITS = { pollMs: 5_000, maxPollMs: HOUR_MS / 2, expireAfterMs: HOUR_MS / 2, dropAfterMs: HOUR_MS / 2, graceMs: 48 * HOUR_MS, watchAfterMs: 600_000 };

let world: DepositWorld;
let hours: SkippedHours;

const run = 'program' in found ? describe : describe.skip;
run('a bridge that says PENDING for 26 h over two deploys, then NOT_FOUND', () => {
  beforeAll(async () => {
    if ('missing' in found) throw new Error(found.missing);
    world = await openDepositWorld();
    hours = await SkippedHours.open(found.program, world.clock);
  }, 300_000);
  afterAll(async () => {
    await hours.close();
    await world.closeAll();
  });
  const deploy = (buildId: string): Promise<void> => hours.deploy(buildId, createDepositActivities(world.path, world.arrivals, { forward: () => Promise.resolve() }));

  test.each([
    ['DONE', 'pay', 'CREDITED', `99`],
    ['PARTIAL', 'partial', 'PARTIAL_REVIEW', `99`],
  ] as const)('and then %s: every stage is shown, nothing is sent or paid twice', async (_said, outcome, ends, amount) => {
    Object.assign(world.lifi.faults, { outcome: 'pending', notFound: 0 });
    world.lifi.requests.length = 0;
    world.lifi.paid.clear();
    hours.ranOn.length = 0;
    const asked = await world.asked();
    const gateway = new DepositGateway(hours.environment.client, WAITS);
    await deploy('deploy-1');
    expect((await gateway.begin(asked)).state).toBe('AWAITING_SIGNATURE');
    const quoted = await world.read(asked.id);
    const hash = await world.sign(quoted);
    expect(await gateway.submit(quoted, hash)).toEqual({ state: 'SOURCE_SUBMITTED', refused: null });
    await world.source.mine(CONFIRMATIONS);
    await hours.pass(9);
    await deploy('deploy-2');
    await hours.pass(9);
    await deploy('deploy-3');
    await hours.pass(8.5);
    expect(await world.read(asked.id)).toMatchObject({ state: 'BRIDGING', bridge: { status: 'PENDING' }, received: [] });

    world.lifi.faults.notFound = 3;
    world.lifi.faults.outcome = outcome;
    await hours.pass(3);
    expect(await world.read(asked.id)).toMatchObject({ state: 'DEST_SEEN', received: [] });
    await world.destination.mine(CONFIRMATIONS);
    await hours.pass(1);
    const arrived = await world.read(asked.id);
    expect(arrived).toMatchObject({ state: ends, received: [{ amount }] });
    if (ends === 'PARTIAL_REVIEW') {
      expect((await gateway.decide(arrived, 'accept', 'the user takes the other token', 'key:operator')).state).toBe('CREDITED');
      expect((await gateway.decide(arrived, 'accept', 'again', 'key:operator')).refused).toMatchObject({ code: 'CONFLICT' });
    }
    await hours.environment.client.workflow.getHandle(depositWorkflowId(asked.id)).result();

    const steps = await world.steps(asked);
    expect(stagesOf(steps)).toEqual([
      'CREATED', 'AWAITING_SIGNATURE', 'SOURCE_SUBMITTED', 'SOURCE_CONFIRMED', 'BRIDGING PENDING', 'BRIDGING NOT_FOUND', `BRIDGING DONE`, 'DEST_SEEN',
      ...(ends === 'PARTIAL_REVIEW' ? ['PARTIAL_REVIEW', 'CREDITED'] : ['CREDITED']),
    ]);
    const at = (fact: string): number => Date.parse(steps.findLast((step) => step.fact === fact)?.at ?? '');
    expect(at('destinationFinal') - at('sourceConfirmed')).toBeGreaterThan(26 * HOUR_MS);
    expect(new Set(hours.ranOn)).toEqual(new Set(['deploy-1', 'deploy-2', 'deploy-3']));
    expect([...world.lifi.paid.keys()]).toEqual([hash]);
    expect(world.lifi.requests.filter((url) => url.includes('/quote'))).toHaveLength(1);
    expect(await world.held(asked, outcome === 'partial' ? world.other : world.to)).toBe(amount);
  }, 240_000);
});

/** Each stage as a reader of the timeline sees it: the state, and between the chains what the bridge said. */
function stagesOf(steps: readonly DepositStep[]): string[] {
  const shown = steps.map(({ state, data }) => {
    const report = data['report'] as { readonly status: string } | undefined;
    return report === undefined ? state : `${state} ${report.status}`;
  });
  return shown.filter((stage, index) => stage !== shown[index - 1]);
}
