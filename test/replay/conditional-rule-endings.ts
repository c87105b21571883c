/** Endings of conditional orders that run through what its newer rules say (src/workflows/rules-of-run.ts): one for each. */
import type { Client } from '@temporalio/client';
import type { Order } from '../../src/domain/order';
import { ConditionalGateway } from '../../src/temporal/conditional-gateway';
import { triggerCrossed } from '../../src/workflows/messages';
import { BOTH, canceling, childAt, CONDITION, crossing, EVIDENCE, held, hint, ID, INTENT, noted, over, started, trigger } from './conditional-endings';
import { NAMED_ENDED, NONE_FOLDED } from '../../src/domain/folded-orders';
import { TASK_QUEUES } from '../../src/temporal/task-queues';
import type { ConditionalMemory } from '../../src/workflows/state/conditional-steps';
import { begot, until, type Ending } from './executions';

const NATIVE = { type: 'stopMarket', timeInForce: 'GTC' } as const;
const refused = (n: number) => childAt(1, n, { ...NATIVE, state: 'REJECTED', reasonCode: 'VENUE_REJECTED', reasonMessage: 'no native stops' });
const filledNative = (n: number) => childAt(1, n, { ...NATIVE, state: 'FILLED', filledQuantity: '0.5', avgPrice: '59990' });
const applied = { verdict: 'applied', code: null, message: null } as const;
const amend = (client: Client, terms: Parameters<ConditionalGateway['amend']>[2]) => new ConditionalGateway(client).amend({ ownerWorkflowId: ID } as Order, 1, terms);

/** An activity that has begun and answers once it may. */
function gate<Answer>(answer: Answer) {
  let open: () => void = () => undefined;
  let hasBegun = false;
  const opened = new Promise<void>((resolve) => (open = resolve));
  const pass = async (): Promise<Answer> => {
    hasBegun = true;
    await opened;
    return answer;
  };
  return { pass, begun: () => until(async () => hasBegun), open: () => open() };
}

/** The amendment is taken while the row's note of another step is under way. */
function amendedMeanwhile() {
  const note = gate(noted);
  const taken = async (): Promise<typeof applied> => {
    note.open();
    return applied;
  };
  return { note, taken };
}

/** Each order of it that is placed has its row looked at once. */
async function hintEach(client: Client, from: number, to: number): Promise<void> {
  for (let n = from; n <= to; n += 1) {
    await begot(client, ID, 'order', n);
    await hint(client, n - 1);
  }
}

function replacedNative(): Ending {
  const { note, taken } = amendedMeanwhile();
  return {
    // Amended while its native stop was on its way: that one is of the terms before, and is replaced.
    workflow: 'conditionalOrder',
    ending: 'native-stop-of-older-terms-replaced',
    script: {
      ...crossing, ...canceling, recordConditional: [held({ condition: BOTH })], armTrigger: [trigger()], amendTrigger: [trigger({ revision: 2 })], noteConditional: [noted, note.pass, noted], amendConditional: [taken], disarmTrigger: [trigger({ status: 'DISARMED' })],
      readOrders: [[refused(0)], [refused(0), childAt(1, 1, { ...NATIVE, state: 'CANCELED', reasonCode: 'CANCELED_BY_USER' })], [refused(0), filledNative(2)]],
    },
    run: async (client) => {
      await started(client, { ...INTENT, condition: BOTH });
      await hintEach(client, 1, 1);
      await note.begun();
      await amend(client, { triggerPrice: '59000' });
      await begot(client, ID, 'orderCancellation', 1);
      await hint(client, 1);
      await hintEach(client, 3, 3);
      return over(client);
    },
  };
}

function amendedWhileFiring(): Ending {
  const { note, taken } = amendedMeanwhile();
  return {
    // The row took a smaller quantity while it fired: that much is exited, and no more.
    workflow: 'conditionalOrder',
    ending: 'amended-while-it-fired-then-filled',
    script: { ...crossing, noteConditional: [note.pass, noted], amendConditional: [taken], readOrders: [[childAt(0, 0, { state: 'FILLED', quantity: '0.2', filledQuantity: '0.2', avgPrice: '59990' })]] },
    run: async (client) => {
      await started(client);
      await client.workflow.getHandle(ID).signal(triggerCrossed, EVIDENCE);
      await note.begun();
      await amend(client, { quantity: '0.2' });
      await hintEach(client, 1, 1);
      return over(client);
    },
  };
}

const ESCALATING = { ...CONDITION, escalation: { chaseAfterMs: null, marketAfterMs: 300, slippageBps: 100 } } as const;
const LIMIT = { type: 'limit', limitPrice: '60000' } as const;
const [limit, pending, gone] = [{}, { pendingCancel: true }, { state: 'CANCELED', reasonCode: 'CANCELED_BY_USER' } as const].map((change) => childAt(0, 0, { ...LIMIT, ...change })) as [ReturnType<typeof childAt>, ReturnType<typeof childAt>, ReturnType<typeof childAt>];

// Carried over from an execution that had all of its children by name: refused again and again, the first after a part of it had filled.
const refusedExit = (n: number) => childAt(0, n, n === 0 ? { state: 'CANCELED', filledQuantity: '0.1', avgPrice: '59990' } : { state: 'REJECTED', reasonCode: 'VENUE_REJECTED', reasonMessage: 'the market is halted' });
const REFUSED = Array.from({ length: NAMED_ENDED + 5 }, (_, n) => refusedExit(n));
const REMEMBERED: ConditionalMemory = {
  condition: CONDITION, quantity: '0.5', limitPrice: null, termsVersion: 0, armedVersion: 0, triggerNumber: 0, fired: { by: 'trigger', level: '60000', atMs: 1, evidence: {} }, pursuitSinceMs: 1,
  children: REFUSED.map((view, n) => ({ n, orderId: view.id, step: 'market', placedAtMs: 1, termsVersion: 0, view, cancelAskedAtMs: null })), cancelAsked: false, failures: REFUSED.length, nativeFailures: 0,
};
const folded = { ...NONE_FOLDED, count: 5, filledQuantity: '0.1', value: '5999' };

export const CONDITIONAL_RULE_ENDINGS: readonly Ending[] = [
  {
    // What is left of it goes out under the next number.
    workflow: 'conditionalOrder',
    ending: 'went-on-with-its-ended-children-folded',
    script: {
      ...crossing, recordConditional: [held({ state: 'TRIGGERED', triggeredAtMs: 1, folded })],
      readChildren: [{ orders: REFUSED.slice(5), folded }, { orders: [...REFUSED.slice(5), childAt(0, REFUSED.length, { state: 'FILLED', quantity: '0.4', filledQuantity: '0.4', avgPrice: '59800' })], folded }],
    },
    run: async (client) => {
      await client.workflow.start('conditionalOrder', { workflowId: ID, taskQueue: TASK_QUEUES.orders, args: [{ intent: INTENT, memory: REMEMBERED }] });
      await begot(client, ID, 'order', 1);
      await hint(client, REFUSED.length);
      return over(client);
    },
  },
  {
    // The venue takes no native stop of these terms; of the amended ones it does, and that one fills.
    workflow: 'conditionalOrder',
    ending: 'native-stop-taken-after-an-amendment',
    script: {
      ...crossing, recordConditional: [held({ condition: BOTH })], amendTrigger: [trigger({ revision: 2 })], amendConditional: [applied], disarmTrigger: [trigger({ status: 'DISARMED' })],
      readOrders: [...[1, 2, 3, 4, 5].map((count) => Array.from({ length: count }, (_, n) => refused(n))), [filledNative(5)]],
    },
    run: async (client) => {
      await started(client, { ...INTENT, condition: BOTH });
      await hintEach(client, 1, 5);
      await amend(client, { triggerPrice: '59000' });
      await hintEach(client, 6, 6);
      return over(client);
    },
  },
  replacedNative(),
  amendedWhileFiring(),
  {
    // What its native stop does is told again and again: that a look is due keeps it from nothing.
    workflow: 'conditionalOrder',
    ending: 'continued-as-new-before-a-look',
    script: { ...crossing, recordConditional: [held({ condition: BOTH })], readOrders: [[childAt(1, 0, NATIVE)]] },
    run: async (client) => {
      await started(client, { ...INTENT, condition: BOTH });
      await begot(client, ID, 'order', 1);
      const handle = client.workflow.getHandle(ID);
      const { runId } = await handle.describe();
      while ((await handle.describe()).runId === runId) await hint(client);
      await handle.terminate('recorded');
      return `${ID} ${runId}`;
    },
  },
  {
    // The venue says for long nothing of the cancel of its limit: it is looked after each few seconds, and the market order goes out behind it.
    workflow: 'conditionalOrder',
    ending: 'cancel-awaited-for-long-then-filled',
    script: { ...crossing, ...canceling, recordConditional: [held({ limitPrice: '60000', condition: ESCALATING })], readOrders: [[limit], [limit], [pending], [pending], [pending], [gone], [gone, childAt(0, 1, { type: 'limit', timeInForce: 'IOC', limitPrice: '59400', state: 'FILLED', filledQuantity: '0.5', avgPrice: '59800' })]] },
    run: async (client) => {
      await started(client, { ...INTENT, type: 'stopLimit', limitPrice: '60000', condition: ESCALATING });
      await client.workflow.getHandle(ID).signal(triggerCrossed, EVIDENCE);
      await hintEach(client, 1, 2);
      return over(client);
    },
  },
];
