/** From a price at the venue to the signal in Temporal and to the exit at the venue, through the whole program, one stop at a time. */
import { randomUUID } from 'node:crypto';
import { Client, Connection } from '@temporalio/client';
import { conditionalWorkflowId } from '../src/temporal/workflow-ids';
import type { ApiOrder } from '../test/support/api-client';
import { startStack, type Stack } from '../test/support/stack';
import { quantile } from './measure';

/** Enough for a p99 that one sample lies beyond. */
const SAMPLES = 150;
const QUANTITY = '0.001';
const FROM = 50_000;
/** Between two stops: one price reaches one of them. */
const STEP = 10;

const levelOf = (n: number): string => String(FROM - STEP * (n + 1));

/** Times are of this machine's clock, from the command that moves the price: what the venue itself takes is in both. */
export async function tellPath(say: (line: string) => void): Promise<void> {
  const stack = await startStack({ tickMs: 0 });
  try {
    await stack.sim.price('BTC-PERP', String(FROM));
    const entry = await stack.client.until('an entry', async () => {
      const { status, body } = await place(stack, { side: 'buy', type: 'market', quantity: (Number(QUANTITY) * SAMPLES).toFixed(3) });
      return status === 201 ? body : null;
    });
    await stack.client.untilState(entry.id, 'FILLED');
    const stops: ApiOrder[] = [];
    for (let n = 0; n < SAMPLES; n += 1) stops.push((await place(stack, { side: 'sell', type: 'stopMarket', quantity: QUANTITY, triggerPrice: levelOf(n), triggerPriceType: 'mark', reduceOnly: true })).body);
    const movedMs: number[] = [];
    for (const [n, { id }] of stops.entries()) {
      movedMs.push(Date.now());
      await stack.sim.price('BTC-PERP', levelOf(n));
      await stack.client.untilState(id, 'FILLED');
    }
    const signaledMs = await signals(stack, stops);
    const exitedMs = await exits(stack);
    const lags = (times: readonly number[]): readonly number[] => times.map((ms, n) => ms - (movedMs[n] ?? NaN));
    for (const [name, times] of [['signal in Temporal', lags(signaledMs)], ['exit at the venue', lags(exitedMs)]] as const) {
      say(`price at the venue to ${name}, ${times.length} stops one after the other: p50 ${quantile(times, 0.5)} ms, p99 ${quantile(times, 0.99)} ms`);
    }
  } finally {
    await stack.stop();
  }
}

function place(stack: Stack, order: Readonly<Record<string, unknown>>) {
  return stack.client.place({ accountId: stack.accountId, clientOrderId: randomUUID(), symbol: 'BTC-PERP', ...order });
}

/** When Temporal wrote the first signal of each order's trigger down. */
async function signals(stack: Stack, stops: readonly ApiOrder[]): Promise<readonly number[]> {
  const connection = await Connection.connect({ address: stack.temporal.url });
  try {
    const { workflow } = new Client({ connection });
    const times: number[] = [];
    for (const { clientOrderId } of stops) {
      const { events } = await workflow.getHandle(conditionalWorkflowId(stack.accountId, clientOrderId)).fetchHistory();
      const at = events?.find(({ workflowExecutionSignaledEventAttributes }) => workflowExecutionSignaledEventAttributes?.signalName === 'triggerCrossed')?.eventTime;
      times.push(Number(at?.seconds) * 1_000 + Math.round((at?.nanos ?? NaN) / 1e6));
    }
    return times;
  } finally {
    await connection.close();
  }
}

/** When the venue got each exit, in their order. */
async function exits(stack: Stack): Promise<readonly number[]> {
  const gotMs = new Map((await stack.sim.requests('/orders')).flatMap(({ time, clientIds }) => clientIds.map((id) => [id, time] as const)));
  return (await stack.sim.orders()).filter(({ side }) => side === 'sell').map(({ clientId }) => gotMs.get(clientId) ?? NaN);
}
