import { expect, test } from '@jest/globals';
import { SweepRound, type SweepPage } from '../../../src/domain/sweep-page';

const row = (n: number): { readonly updatedAt: string; readonly id: string } => ({ updatedAt: `2026-01-01T00:00:0${Math.floor(n / 2)}.000Z`, id: `id-${n}` });
const after = (rows: readonly ReturnType<typeof row>[], page: SweepPage) => rows.filter((each) => page.after === null || each.updatedAt > page.after.updatedAt || (each.updatedAt === page.after.updatedAt && each.id > page.after.id)).slice(0, page.limit);

test('a sweep that takes a part at a time comes to all of them, however many never change, and begins anew after the last', async () => {
  const rows = [0, 1, 2, 3, 4].map(row);
  const round = new SweepRound(2, async (page) => after(rows, page));
  const seen: string[][] = [];
  for (let sweep = 0; sweep < 4; sweep += 1) seen.push((await round.next()).map(({ id }) => id));
  expect(seen).toEqual([['id-0', 'id-1'], ['id-2', 'id-3'], ['id-4'], ['id-0', 'id-1']]);
});

test('where the last part is full the next one is empty, and the one after begins anew', async () => {
  const round = new SweepRound(2, async (page) => after([row(0), row(1)], page));
  expect([(await round.next()).length, (await round.next()).length, (await round.next()).length]).toEqual([2, 0, 2]);
});
