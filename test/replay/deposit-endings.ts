/** The endings of deposits, and of what reads a chain for them. */
import type { Client } from '@temporalio/client';
import { DepositGateway, ensureChainWatched } from '../../src/temporal/deposit-gateway';
import { chainWatchWorkflowId, depositWorkflowId } from '../../src/temporal/workflow-ids';
import { depositSample, hash } from '../unit/domain/deposit-samples';
import { canceled, continued, ended, scheduled, type Ending } from './executions';
import type { Script } from './scripted-activities';

const WAITS = { pollMs: 10, maxPollMs: 50, expireAfterMs: 600_000, dropAfterMs: 600_000, graceMs: 600_000, watchAfterMs: 30 };
const DEPOSIT = depositSample();
const WORKFLOW_ID = depositWorkflowId(DEPOSIT.id);
const ok = { refused: null } as const;
const quoted = [{ state: 'AWAITING_SIGNATURE', ...ok }] as const;
const sent = [{ state: 'SOURCE_SUBMITTED', ...ok }] as const;

function ending(name: string, script: Script, act: (gateway: DepositGateway, client: Client) => Promise<string | void>, waits: Partial<typeof WAITS> = {}): Ending {
  return {
    workflow: 'deposit',
    ending: name,
    script,
    run: async (client) => {
      const gateway = new DepositGateway(client, { ...WAITS, ...waits });
      await gateway.begin(DEPOSIT);
      const id = await act(gateway, client);
      if (typeof id === 'string') return id;
      await ended(client.workflow.getHandle(WORKFLOW_ID));
      return WORKFLOW_ID;
    },
  };
}

const submit = async (gateway: DepositGateway): Promise<void> => void (await gateway.submit(DEPOSIT, hash('a1')));

export const DEPOSIT_ENDINGS: readonly Ending[] = [
  ending('credited', { beginDeposit: quoted, quoteDeposit: quoted, takeTransaction: sent, lookAtSource: ['SOURCE_SUBMITTED', 'SOURCE_CONFIRMED'], lookAtArrivals: ['BRIDGING', 'DEST_SEEN', 'CREDITED'] }, async (gateway) => {
    await gateway.requote(DEPOSIT);
    await submit(gateway);
  }),
  ending('refunded', { beginDeposit: quoted, takeTransaction: sent, lookAtSource: ['SOURCE_CONFIRMED'], lookAtArrivals: ['REFUND_PENDING', 'REFUNDED'] }, submit),
  ending('not-quoted', { beginDeposit: [{ state: 'FAILED', refused: { code: 'UNPROCESSABLE', message: 'no route', details: {} } }] }, async () => undefined),
  ending('called-off', { beginDeposit: quoted, callOffDeposit: [{ state: 'CANCELED', ...ok }] }, async (gateway) => void (await gateway.cancel(DEPOSIT))),
  ending('expired', { beginDeposit: quoted, noteDepositFact: ['EXPIRED'] }, async () => undefined, { expireAfterMs: 50 }),
  ending('decided-after-grace', { beginDeposit: quoted, takeTransaction: sent, lookAtSource: ['SOURCE_CONFIRMED'], lookAtArrivals: ['BRIDGING', 'BRIDGING', 'MANUAL_REVIEW'], noteDepositFact: ['MANUAL_REVIEW'], noteDecision: [{ state: 'FAILED', ...ok }] }, async (gateway, client) => {
    await submit(gateway);
    await scheduled(client, WORKFLOW_ID, 'noteDepositFact', 1);
    await gateway.decide(DEPOSIT, 'writeOff', 'the bridge is gone', 'key:operator');
  }, { graceMs: 200 }),
  ending('continued-as-new', { beginDeposit: quoted, takeTransaction: sent, lookAtSource: ['SOURCE_CONFIRMED'], lookAtArrivals: ['BRIDGING'] }, async (gateway, client) => {
    const handle = client.workflow.getHandle(WORKFLOW_ID);
    const { runId } = await handle.describe();
    await submit(gateway);
    while ((await client.workflow.getHandle(WORKFLOW_ID).describe()).runId === runId) await new Promise((resolve) => setImmediate(resolve));
    await client.workflow.getHandle(WORKFLOW_ID).terminate('recorded');
    return `${WORKFLOW_ID} ${runId}`;
  }),
  {
    workflow: 'chainWatch',
    ending: 'canceled',
    script: { watchChain: ['hang'] },
    run: async (client) => {
      await ensureChainWatched(client, 42_161);
      return canceled(client, chainWatchWorkflowId(42_161), 'watchChain');
    },
  },
  {
    workflow: 'chainWatch',
    ending: 'continued-as-new',
    script: { watchChain: [undefined] },
    run: async (client) => {
      await ensureChainWatched(client, 42_161);
      return continued(client, chainWatchWorkflowId(42_161));
    },
  },
];
