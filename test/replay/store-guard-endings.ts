/** The endings of `storeGuard`. */
import type { Client } from '@temporalio/client';
import { doubtStores } from '../../src/temporal/watching';
import { STORE_GUARD_WORKFLOW_ID } from '../../src/temporal/workflow-ids';
import { canceled, continued, type Ending } from './executions';
import type { Script } from './scripted-activities';

const SINCE = 1_767_225_600_000;

/** The guard never ends by itself: it continues as new, or somebody cancels it. */
function guarded(ending: string, script: Script, end: (client: Client) => Promise<string>): Ending {
  return {
    workflow: 'storeGuard',
    ending,
    script,
    run: async (client) => {
      await doubtStores(client, 20, 'a worker started');
      return end(client);
    },
  };
}

export const STORE_GUARD_ENDINGS: readonly Ending[] = [
  guarded('continued-as-new', { compareWithPostgresql: [{ kind: 'agree', mark: { beat: 1, token: 't1' } }] }, (client) => continued(client, STORE_GUARD_WORKFLOW_ID)),
  guarded('canceled', { compareWithPostgresql: [{ kind: 'agree', mark: { beat: 1, token: 't1' } }, 'hang'] }, (client) => canceled(client, STORE_GUARD_WORKFLOW_ID, 'compareWithPostgresql')),
  guarded(
    'recovered',
    {
      compareWithPostgresql: [{ kind: 'differ', reason: 'an older copy of the database took its place', sinceMs: SINCE }, { kind: 'agree', mark: { beat: 8, token: 't8' } }],
      readBackOrders: [{ readBack: 3, withoutAccount: 1, forgottenBeforeMs: SINCE }, { readBack: 0, withoutAccount: 1, forgottenBeforeMs: SINCE }],
      lookAtAccounts: [{ sinceMs: SINCE, unread: ['a1', 'a2'] }],
      awaitLooks: [{ unread: ['a2'] }, { unread: [] }],
      letEntriesPass: [{ mark: { beat: 7, token: 't7' } }],
    },
    (client) => continued(client, STORE_GUARD_WORKFLOW_ID),
  ),
  guarded(
    'recovered-without-an-answer',
    {
      compareWithPostgresql: [{ kind: 'differ', reason: 'an older copy of the database took its place', sinceMs: SINCE }, { kind: 'agree', mark: { beat: 8, token: 't8' } }],
      readBackOrders: [{ readBack: 1, withoutAccount: 0, forgottenBeforeMs: null, unfinished: ['conditional/a1/stop-1'] }, { readBack: 0, withoutAccount: 0, forgottenBeforeMs: null, unfinished: ['conditional/a1/stop-1'] }],
      lookAtAccounts: [{ sinceMs: SINCE, unread: [] }],
      letEntriesPass: [{ mark: { beat: 7, token: 't7' } }],
    },
    (client) => continued(client, STORE_GUARD_WORKFLOW_ID),
  ),
  guarded(
    'restarted-while-recovering',
    {
      compareWithPostgresql: [{ kind: 'differ', reason: 'its last commits are lost', sinceMs: 0 }],
      readBackOrders: [{ readBack: 0, withoutAccount: 0, forgottenBeforeMs: null }],
      lookAtAccounts: [{ sinceMs: SINCE, unread: [] }],
      letEntriesPass: [{ mark: null }],
    },
    (client) => continued(client, STORE_GUARD_WORKFLOW_ID),
  ),
  guarded(
    'continued-while-a-venue-is-away',
    {
      compareWithPostgresql: [{ kind: 'differ', reason: 'its last commits are lost', sinceMs: 0 }],
      readBackOrders: [{ readBack: 0, withoutAccount: 0, forgottenBeforeMs: null }],
      lookAtAccounts: [{ sinceMs: SINCE, unread: ['a1'] }],
      awaitLooks: [{ unread: ['a1'] }],
    },
    (client) => continued(client, STORE_GUARD_WORKFLOW_ID),
  ),
];
