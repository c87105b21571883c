/** A deposit over two real chains while its worker dies before or after each call that it makes of chains, bridge and database. */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { assetOf, type Deposit } from '../../../src/domain/deposit';
import { CONFIRMATIONS, openDepositWorld, type DepositWorld } from './deposit-world';
import { Crash, dyingAt } from '../dying';

let world: DepositWorld;
beforeAll(async () => {
  world = await openDepositWorld();
});
afterAll(() => world.closeAll());

const inBook = async (book: string, { userId, to }: Deposit): Promise<string> => (await world.books(userId))[`${book} ${assetOf(to)}`] ?? '0';

describe('a worker that dies', () => {
  type Worker = ReturnType<DepositWorld['workerOver']>;

  /** The steps of a deposit's workflow, each of which Temporal runs again where its worker died. */
  async function travel(asked: Deposit, hash: { sent: `0x${string}` | null }, { path, arrivals }: Worker): Promise<void> {
    await path.begin(asked);
    hash.sent ??= await world.sign(await world.read(asked.id));
    await path.take(asked.id, hash.sent);
    await path.lookAtSource(asked.id, 0, 60_000);
    await world.source.mine(CONFIRMATIONS);
    await path.lookAtSource(asked.id, 0, 60_000);
    await arrivals.look(asked.id);
    await world.destination.mine(CONFIRMATIONS);
    await arrivals.look(asked.id);
  }

  test.each(['before', 'after'] as const)('%s any call that it makes, is followed by one that credits what arrived, once, of a source that was sent once', async (when) => {
    let deaths = 0;
    for (let call = 1; ; call += 1) {
      const asked = await world.asked();
      const hash = { sent: null };
      const { wrap, died } = dyingAt(call, when);
      await travel(asked, hash, world.workerOver(wrap)).catch((error: unknown) => {
        if (!(error instanceof Crash)) throw error;
      });
      await travel(asked, hash, world.workerOver());
      const done = await world.read(asked.id);
      expect([call, done.state, done.received.map(({ amount }) => amount), done.source?.hash]).toEqual([call, 'CREDITED', ['99'], hash.sent]);
      expect([call, await inBook('wallet', done), await inBook('suspense', done), await world.held(done)]).toEqual([call, '99', '0', '99']);
      expect(world.lifi.paid.get(String(hash.sent))).toHaveLength(1);
      if (!died()) break;
      deaths = call;
    }
    // Every port is crossed many times: a run that died nowhere would prove nothing.
    expect(deaths).toBeGreaterThan(20);
  }, 180_000);
});
