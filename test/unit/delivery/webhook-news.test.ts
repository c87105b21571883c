/** Who is told when everybody is: ten thousand endpoints, and a Temporal that answers slowly. */
import { expect, test } from '@jest/globals';
import { HINTS_AT_ONCE, WebhookNews } from '../../../src/activities/webhook-news';

test('ten thousand endpoints are hinted a few at a time, each once, and rounds that wait hear at once', async () => {
  const endpoints = Array.from({ length: 10_000 }, (_, n) => ({ id: `e${n}` }));
  let [underWay, most] = [0, 0];
  const hinted: string[] = [];
  const news = new WebhookNews({
    listen: async () => ({ close: () => undefined }),
    concernedBy: async () => [],
    active: async () => endpoints,
    hint: async (id) => {
      underWay += 1;
      most = Math.max(most, underWay);
      hinted.push(id);
      await new Promise((resolve) => setImmediate(resolve));
      underWay -= 1;
      // One in a hundred fails: it is told, and holds nobody up.
      if (hinted.length % 100 === 0) throw new Error('Temporal is away');
    },
    onTrouble: () => undefined,
  });
  const heard = news.awaitNews('e9999', new AbortController().signal);
  await news.start();
  while (hinted.length < endpoints.length || underWay > 0) await new Promise((resolve) => setImmediate(resolve));
  expect([hinted.length, new Set(hinted).size, most]).toEqual([10_000, 10_000, HINTS_AT_ONCE]);
  expect(await heard).toBe(true);
  await news.close();
});

test('closed in the middle of it, the rest is not hinted', async () => {
  let hints = 0;
  const news = new WebhookNews({
    listen: async () => ({ close: () => undefined }),
    concernedBy: async () => [],
    active: async () => Array.from({ length: 1_000 }, (_, n) => ({ id: `e${n}` })),
    hint: async () => {
      hints += 1;
      if (hints === 10 * HINTS_AT_ONCE) await news.close();
    },
    onTrouble: () => undefined,
  });
  await news.start();
  while (hints < 10 * HINTS_AT_ONCE) await new Promise((resolve) => setImmediate(resolve));
  for (let n = 0; n < 100; n += 1) await new Promise((resolve) => setImmediate(resolve));
  expect(hints).toBeLessThan(11 * HINTS_AT_ONCE);
});
