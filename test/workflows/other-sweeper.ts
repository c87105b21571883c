/** What the sweeper never was: a history of the real one does not fit it. */
import { sleep } from '@temporalio/workflow';

export async function sweeper(): Promise<void> {
  await sleep('1 day');
}
