import type { Client } from '@temporalio/client';
import { describe, expect, test } from '@jest/globals';
import { systemClock } from '../../../src/domain/clock';
import type { HeldTerms } from '../../../src/domain/evidence';
import type { MutationIntent } from '../../../src/domain/order-store';
import { OrderGateway } from '../../../src/temporal/order-gateway';
import { AT, sampleOrder } from '../domain/order-samples';

/** Temporal's guards alone: what has one update id, or one workflow id, is done once, and whoever asks again is given the first one's answer. */
class Temporal {
  /** What was asked, once each. */
  readonly asked: string[] = [];
  private readonly answers = new Map<string, string>();

  readonly client = {
    withDeadline: (_at: number, call: () => Promise<unknown>) => call(),
    workflow: {
      getHandle: (workflowId: string) => ({
        executeUpdate: async (_update: unknown, { updateId, args: [request] }: { updateId: string; args: [{ terms: HeldTerms }] }) => this.once(`${workflowId} ${updateId}`, request.terms),
      }),
      executeUpdateWithStart: async (_update: unknown, { startWorkflowOperation: { options } }: { startWorkflowOperation: { options: { workflowId: string; args: [{ intent: MutationIntent }] } } }) => this.once(options.workflowId, options.args[0].intent),
    },
  } as unknown as Client;

  private once(id: string, { triggerPrice, quantity, limitPrice }: { readonly [field in 'triggerPrice' | 'quantity' | 'limitPrice']?: string | null }): object {
    const first = this.answers.get(id) ?? JSON.stringify([limitPrice, quantity, triggerPrice]);
    if (!this.answers.has(id)) this.asked.push(id);
    this.answers.set(id, first);
    return { verdict: 'applied', code: null, message: first };
  }
}

const world = () => {
  const temporal = new Temporal();
  return { temporal, gateway: new OrderGateway(temporal.client, () => ({ strictNonces: false, maxBatchSize: 1 }), systemClock) };
};

describe('amendments of one order with one revision', () => {
  const armed = sampleOrder({ id: 'o1', state: 'ARMED', execution: 'durable' });
  const intent = (changes: Partial<MutationIntent>): MutationIntent => ({ id: 'm1', kind: 'amend', userId: 'u1', accountId: 'a1', venue: 'paper', orderId: 'o1', expectedRevision: 2, limitPrice: null, quantity: null, sendBefore: AT, ...changes });

  test('that waits: other terms are asked of its workflow, and are never answered by the first ones', async () => {
    const { temporal, gateway } = world();
    const answers = await Promise.all(['44000', '43000', '42000'].map((triggerPrice) => gateway.amendHeld(armed, 1, { triggerPrice })));
    expect(answers.map(({ message }) => message)).toEqual(['44000', '43000', '42000'].map((price) => JSON.stringify([null, null, price])));
    expect(new Set(temporal.asked).size).toBe(3);
  });

  test('that waits: the same terms are one amendment, in whatever order their fields come', async () => {
    const { temporal, gateway } = world();
    await gateway.amendHeld(armed, 1, { triggerPrice: '44000', quantity: '0.02' });
    await gateway.amendHeld(armed, 1, { quantity: '0.02', triggerPrice: '44000' });
    expect(temporal.asked).toHaveLength(1);
    await gateway.amendHeld(armed, 2, { quantity: '0.02', triggerPrice: '44000' });
    expect(temporal.asked).toHaveLength(2);
  });

  test('that works: other terms have a workflow of their own, whose row refuses them; the same terms share one', async () => {
    const { temporal, gateway } = world();
    const ask = (changes: Partial<MutationIntent>) => gateway.amend(intent(changes), 'amend', 'BTC-PERP');
    const answers = [await ask({ limitPrice: '61000' }), await ask({ limitPrice: '62000' }), await ask({ quantity: '61000' }), await ask({ triggerPrice: '61000' })];
    expect(new Set(answers.map(({ message }) => message)).size).toBe(4);
    await ask({ id: 'm2', limitPrice: '61000', triggerPrice: null });
    expect(temporal.asked).toHaveLength(4);
    for (const id of temporal.asked) expect(id).toMatch(/^amend\/o1\/2\/[0-9a-f]{32}$/);
  });
});
