/** Digests and snoozes that come, move and end while alerts wait: the statements on a real PostgreSQL against a list that is sorted by hand. */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { isoTime } from '../../../src/domain/clock';
import { DUE_NOTICES, noticeChannels, snoozeNotices } from '../../../src/store/alerts/alert-notices';
import { Database, type Transaction } from '../../../src/store/database/database';
import { AlertWorld } from './alert-world';

const RUNS = { numRuns: 1_000, seed: 20261128 } as const;
const MINUTE = 60_000;
/** A bug shows within few lives. */
const PLANTED = { ...RUNS, numRuns: 200 } as const;

let on: AlertWorld;
let database: Database;
let channelId = '';
beforeAll(async () => {
  on = await AlertWorld.open();
  await on.begin();
  channelId = (await on.makeChat()).id;
  database = new Database({ databaseUrl: on.world.databaseUrl, poolSize: 1, statementTimeoutMs: 60_000, lockTimeoutMs: 500, onError: () => undefined, onAuditHead: () => undefined });
});
afterAll(async () => {
  await database.close();
  await on.close();
});

const step = fc.oneof(
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('alert' as const) }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('wait' as const), minutes: fc.integer({ min: 1, max: 25 }) }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('snooze' as const), minutes: fc.option(fc.integer({ min: -5, max: 60 }), { nil: null }) }) },
);
const life = fc.record({ digestMinutes: fc.option(fc.constantFrom(5, 30), { nil: null }), steps: fc.array(step, { minLength: 2, maxLength: 12 }) });
type Life = typeof life extends fc.Arbitrary<infer Value> ? Value : never;

/** Which alerts leave after which step. */
type Sent = readonly (readonly string[])[];

/** What the documentation says: an alert is ready at once, or with the digest that is open or that it opens; it leaves when it is ready and nobody is asleep. */
function byHand({ digestMinutes, steps }: Life): Sent {
  let [nowMs, asleepUntilMs] = [0, 0];
  const waiting: { id: string; readyMs: number }[] = [];
  return steps.map((each, n) => {
    if (each.kind === 'wait') nowMs += each.minutes * MINUTE;
    if (each.kind === 'snooze') asleepUntilMs = each.minutes === null ? 0 : nowMs + each.minutes * MINUTE;
    if (each.kind === 'alert') {
      const [open] = waiting.map(({ readyMs }) => readyMs).filter((readyMs) => readyMs > nowMs).sort((a, b) => a - b);
      waiting.push({ id: idOf(n), readyMs: digestMinutes === null ? nowMs : (open ?? nowMs + digestMinutes * MINUTE) });
    }
    const leaves = nowMs >= asleepUntilMs ? waiting.filter(({ readyMs }) => readyMs <= nowMs) : [];
    for (const one of leaves) waiting.splice(waiting.indexOf(one), 1);
    return leaves.map(({ id }) => id);
  });
}

const idOf = (n: number): string => `alr_${String(n).padStart(3, '0')}`;

interface Statements {
  readonly noticeChannels: typeof noticeChannels;
  readonly snoozeNotices: typeof snoozeNotices;
}
const REAL: Statements = { noticeChannels, snoozeNotices };
class Undone extends Error {}

/** The store's own statements; nothing of a life is kept. */
async function byStatements({ digestMinutes, steps }: Life, statements: Statements): Promise<Sent> {
  const sent: string[][] = [];
  const startMs = on.world.clock.ms;
  await database.transaction(async (tx) => {
    let nowMs = startMs;
    let snoozedUntil: string | null = null;
    for (const [n, each] of steps.entries()) {
      if (each.kind === 'wait') nowMs += each.minutes * MINUTE;
      if (each.kind === 'snooze') {
        snoozedUntil = each.minutes === null ? null : isoTime(nowMs + each.minutes * MINUTE);
        await statements.snoozeNotices(tx, 'rule', snoozedUntil);
      }
      if (each.kind === 'alert') await statements.noticeChannels(tx, { id: 'rule', userId: on.world.userId, channelIds: [channelId], digestMinutes, snoozedUntil }, idOf(n), nowMs);
      sent.push(await leaving(tx, nowMs));
    }
    throw new Undone();
  }).catch((error: unknown) => {
    if (!(error instanceof Undone)) throw error;
  });
  return sent;
}

async function leaving(tx: Transaction, nowMs: number): Promise<string[]> {
  const rows = await tx.rows<{ id: string }>(`SELECT n.alert_id AS id FROM alert_notices n WHERE ${DUE_NOTICES}`, channelId, isoTime(nowMs));
  const ids = rows.map(({ id }) => id);
  if (ids.length > 0) await tx.rows(`UPDATE alert_notices SET message_id = 'sent' WHERE channel_id = $1 AND alert_id = ANY($2::text[]) RETURNING 1 AS done`, channelId, ids);
  return ids;
}

async function agree(statements: Statements, runs: fc.Parameters<[Life]>): Promise<void> {
  await fc.assert(
    fc.asyncProperty(life, async (given) => {
      expect(await byStatements(given, statements)).toEqual(byHand(given));
    }),
    runs,
  );
}

describe('what waits while a digest gathers and a snooze comes, moves and ends', () => {
  test('leaves when it is ready and nobody is asleep: then, at once, and once', () => agree(REAL, RUNS), 120_000);

  const update = (set: string) => async (tx: Transaction, ruleId: string, until: string | null): Promise<void> => void (await tx.rows(`UPDATE alert_notices SET due_at = ${set} WHERE rule_id = $1 AND message_id IS NULL RETURNING 1 AS done`, ruleId, until));
  test.each<[string, Statements]>([
    ['forgets the digest where a snooze ends', { ...REAL, snoozeNotices: update('coalesce($2::timestamptz, raised_at)') }],
    ['only ever makes a snooze longer', { ...REAL, snoozeNotices: update('greatest(due_at, $2::timestamptz)') }],
    ['leaves what waits out of a snooze', { ...REAL, snoozeNotices: () => Promise.resolve() }],
    ['tells of what is raised in a snooze', { ...REAL, noticeChannels: (tx, rule, ...rest) => noticeChannels(tx, { ...rule, snoozedUntil: null }, ...rest) }],
    ['opens a digest for each alert', { ...REAL, noticeChannels: async (tx, rule, id, nowMs) => { await noticeChannels(tx, rule, id, nowMs); await tx.rows(`UPDATE alert_notices SET ready_at = $3::timestamptz, due_at = greatest($3::timestamptz, $4::timestamptz) WHERE channel_id = $1 AND alert_id = $2 RETURNING 1 AS done`, channelId, id, isoTime(nowMs + (rule.digestMinutes ?? 0) * MINUTE), rule.snoozedUntil); } }],
  ])('a store that %s is found', async (_name, statements) => {
    await expect(agree(statements, PLANTED)).rejects.toThrow(/Property failed/);
  }, 120_000);
});
