/** Margin and collateral that move on a simulated Hyperliquid while processes die and answers are lost. */
import { describe, expect, test } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import type { HyperliquidStack } from './hyperliquid-stack';

/** Declares the scenarios; the stack trades xyz beside the venue's own dex, and both hold collateral. */
export function collateralScenarios(hl: () => HyperliquidStack): void {
  const client = () => hl().stack.client;
  describe('collateral that moves within the account', () => {
    interface Move { readonly id: string; readonly state: string; readonly sends: number; readonly reasonCode: string | null; readonly error?: { readonly message: string } }
    /** One request with its key, repeated as a caller is told to. */
    async function moved(path: string, body: object): Promise<Move> {
      const key = randomUUID();
      return client().until('an answer about the move', async () => {
        const answer = await client().call<Move>('POST', path, body, { 'idempotency-key': key });
        if (answer.status >= 400 && answer.status < 500) throw new Error(`the move was refused: ${JSON.stringify(answer.body)}`);
        return answer.status < 400 ? answer.body : null;
      });
    }
    const ended = (id: string) =>
      client().until('the outcome of the move', async () => {
        const { body } = await client().call<Move>('GET', `/api/v1/collateral-moves/${id}`);
        return body.state === 'SENDING' || body.state === 'UNKNOWN' ? null : body;
      });
    const atVenueLedger = async (): Promise<number> => (await hl().sim.call<{ delta: { type: string } }[]>('POST', '/info', { type: 'userNonFundingLedgerUpdates', user: hl().address, startTime: 0 })).filter(({ delta }) => delta.type === 'send').length;
    const transfer = () => moved(`/api/v1/accounts/${hl().accountId}/transfers`, { from: 'main', to: 'xyz', asset: 'USDC', amount: '100' });

    test('S7: a worker dies while the venue has not read one transfer, and took another whose answer is out: each is moved once', async () => {
      const moves = await atVenueLedger();
      const held: string[] = [];
      const moving: Promise<Move>[] = [];
      for (const before of [{ before: true }, {}]) {
        const fault = await hl().sim.fault({ kind: 'hold', count: 1, match: { path: '/exchange/agentSendAsset' }, ...before });
        moving.push(transfer());
        await hl().sim.met(fault);
        held.push(fault);
      }
      await hl().killWorkers();
      for (const fault of held) await hl().sim.release(fault);
      await hl().startWorkers();
      for (const move of moving) expect(await ended((await move).id)).toMatchObject({ state: 'APPLIED' });
      expect((await atVenueLedger()) - moves).toBe(2);
    }, 180_000);

    test('margin whose answer is lost is known by the position\'s own money; more than there is, is refused', async () => {
      const { id: orderId } = await hl().placed({ symbol: 'xyz:TSLA-PERP', type: 'market', quantity: '1', limitPrice: undefined });
      await client().untilState(orderId, 'FILLED');
      const position = await client().until('the position', async () => (await client().call<{ positions: { id: string; symbol: string }[] }>('GET', `/api/v1/positions?accountId=${hl().accountId}`)).body.positions.find(({ symbol }) => symbol === 'xyz:TSLA-PERP') ?? null);
      const lost = await hl().sim.fault({ kind: 'dropResponse', count: 1, match: { path: '/exchange/updateIsolatedMargin' } });
      const made = await moved(`/api/v1/positions/${encodeURIComponent(position.id)}/margin`, { amount: '25' });
      await hl().sim.met(lost);
      expect(await ended(made.id)).toMatchObject({ state: 'APPLIED', sends: 1 });
      expect(await moved(`/api/v1/positions/${encodeURIComponent(position.id)}/margin`, { amount: '-100000' })).toMatchObject({ state: 'REFUSED', reasonCode: 'INSUFFICIENT_MARGIN' });
    }, 120_000);
  });
}
