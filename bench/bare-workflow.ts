/** The least an order can be on Temporal: one update-with-start, one empty local activity. */
import { condition, defineUpdate, proxyLocalActivities, setHandler } from '@temporalio/workflow';

const { acknowledge } = proxyLocalActivities<{ acknowledge(): Promise<string> }>({ startToCloseTimeout: '2s' });
export const awaitAcknowledgement = defineUpdate<string>('awaitAcknowledgement');

export async function bareOrder(): Promise<string> {
  let acknowledged = '';
  setHandler(awaitAcknowledgement, async () => {
    await condition(() => acknowledged !== '');
    return acknowledged;
  });
  acknowledged = await acknowledge();
  return acknowledged;
}
