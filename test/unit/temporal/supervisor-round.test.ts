import { expect, test } from '@jest/globals';
import { SupervisorRound, type Supervised } from '../../../src/temporal/supervisor-round';

const open = (id: string, revision: number): Supervised => ({ id, accountId: 'a', revision });

/** The rows by id, and what was done for them. */
class Rows {
  readonly done: string[] = [];
  isAway = false;
  constructor(public rows: readonly Supervised[]) {}
  readonly page = async (after: Supervised | null, limit: number): Promise<readonly Supervised[]> => this.rows.filter(({ id }) => after === null || id > after.id).slice(0, limit);
  readonly ensure = async ({ id }: Supervised): Promise<void> => void this.done.push(`ensure ${id}`);
  readonly tell = async ({ id, revision }: Supervised): Promise<void> => {
    if (this.isAway) throw new Error('Temporal is away');
    this.done.push(`tell ${id}@${revision}`);
  };
  get told(): readonly string[] {
    return this.done.filter((each) => each.startsWith('tell')).map((each) => each.slice('tell '.length));
  }
}

test('a workflow whose signal was lost is told by the sweep, once for each revision', async () => {
  const rows = new Rows([open('a', 1), open('b', 4)]);
  const round = new SupervisorRound(10);
  await round.sweep(rows);
  rows.rows = [open('a', 1), open('b', 5)];
  await round.sweep(rows);
  await round.sweep(rows);
  expect(rows.told).toEqual(['a@1', 'b@4', 'b@5']);
});

test('one that could not be told is told by the sweep after it', async () => {
  const rows = new Rows([open('a', 1), open('b', 1)]);
  rows.isAway = true;
  const round = new SupervisorRound(10);
  await expect(round.sweep(rows)).rejects.toThrow('away');
  rows.isAway = false;
  await round.sweep(rows);
  expect(rows.told).toEqual(['a@1', 'b@1']);
});

test('more than one sweep looks at are looked at by the sweeps after it, all of them again and again', async () => {
  const rows = new Rows(['a', 'b', 'c', 'd', 'e'].map((id) => open(id, 1)));
  const round = new SupervisorRound(2);
  for (let sweeps = 0; sweeps < 6; sweeps += 1) await round.sweep(rows);
  const times = (id: string): number => rows.done.filter((each) => each === `ensure ${id}`).length;
  expect(['a', 'b', 'c', 'd', 'e'].map(times)).toEqual([2, 2, 2, 2, 2]);
  expect(rows.told).toHaveLength(5);
});
