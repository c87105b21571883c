/**
 * Remembers in Temporal's history what PostgreSQL was last seen to be, and compares: on every beat, and at once when a process
 * doubts it. Where one of the two lost something, entries wait until orders are read back and the venues were looked at. One for
 * the whole installation.
 */
import { allHandlersFinished, condition, continueAsNew, proxyActivities, setCurrentDetails, setHandler, sleep, workflowInfo } from '@temporalio/workflow';
import type { Comparison, StoreRecoveryActivities } from '../activities/store-recovery';
import type { StoreMark } from '../domain/store-state';
import { COMPARING_ACTIVITY } from '../temporal/activity-options';
import { storeDoubted, type StoreGuardInput } from './messages';

const { compareWithPostgresql, lookAtAccounts, awaitLooks, letEntriesPass } = proxyActivities<StoreRecoveryActivities>({ ...COMPARING_ACTIVITY, summary: 'compare PostgreSQL with Temporal, let entries pass' });
const { readBackOrders } = proxyActivities<StoreRecoveryActivities>({ ...COMPARING_ACTIVITY, summary: 'read orders back from their workflows' });

export async function storeGuard(input: StoreGuardInput): Promise<void> {
  let { mark } = input;
  let doubted = false;
  setHandler(storeDoubted, () => {
    doubted = true;
  });
  while (!workflowInfo().continueAsNewSuggested) {
    doubted = false;
    const found = await compareWithPostgresql({ mark });
    if (found.kind === 'agree') {
      mark = found.mark;
      await condition(() => doubted, input.intervalMs);
    } else {
      mark = (await recover(found, mark)) ?? mark;
    }
  }
  await condition(allHandlersFinished);
  await continueAsNew<typeof storeGuard>({ ...input, mark });
}

/** The mark that PostgreSQL has afterwards; null: not finished, it must be compared anew. */
async function recover({ reason, sinceMs }: Extract<Comparison, { kind: 'differ' }>, mark: StoreMark | null): Promise<StoreMark | null> {
  const tell = (words: string): void => setCurrentDetails(`**entries wait, exits pass**: ${reason}; ${words}`);
  let total = 0;
  let note = '';
  let unfinished: readonly string[] = [];
  // Until a whole pass finds nothing: a list may lag behind the workflows that are there.
  for (let pass = 1, found = -1; found !== 0 || (unfinished.length > 0 && pass <= PASSES_FOR_ANSWERS); pass += 1) {
    tell(`reading orders since ${new Date(sinceMs).toISOString()} back, ${total} so far${unfinished.length === 0 ? '' : `; ${unfinished.length} workflows do not answer yet`}`);
    if (found === 0) await sleep(ANSWERS_AGAIN_MS, { summary: 'until workflows that did not answer are asked again' });
    const { readBack, withoutAccount, forgottenBeforeMs, unfinished: silent = [] } = await readBackOrders({ sinceMs });
    found = readBack;
    total += readBack;
    unfinished = silent;
    note = `${total} orders were read back${withoutAccount > 0 ? `, ${withoutAccount} are of accounts that PostgreSQL does not know` : ''}`;
    if (forgottenBeforeMs !== null) note += `; orders before ${new Date(forgottenBeforeMs).toISOString()} are beyond Temporal's retention: compare them with the venue yourself`;
    if (unfinished.length > 0) note += `; **not read back**, because their workflows do not answer: ${unfinished.slice(0, SHOWN_NAMES).join(', ')}${unfinished.length > SHOWN_NAMES ? ` and ${unfinished.length - SHOWN_NAMES} more` : ''}`;
  }
  const asked = await lookAtAccounts({ reason });
  let { unread } = asked;
  while (unread.length > 0) {
    if (workflowInfo().continueAsNewSuggested) return null;
    tell(`${note}; ${unread.length} accounts are not read from their venue yet: ${unread.slice(0, SHOWN_NAMES).join(', ')}`);
    ({ unread } = await awaitLooks({ sinceMs: asked.sinceMs, unread }));
  }
  const opened = await letEntriesPass({ mark, reason, readBack: total, ...(unfinished.length === 0 ? {} : { unfinished }) });
  if (opened.mark !== null) setCurrentDetails(`entries pass. Last recovery: ${reason}; ${note}`);
  return opened.mark;
}

/** More names than this help nobody. */
const SHOWN_NAMES = 10;
/** A workflow that does not answer is asked so often before entries pass without it, said aloud: one that never can must not hold all others for ever. */
const PASSES_FOR_ANSWERS = 6;
const ANSWERS_AGAIN_MS = 5_000;
