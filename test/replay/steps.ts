/** The steps of a workflow, as its history has them: what a deployment must not put into another order. No imports: workflow code uses it too. */

/** `activity: placeOrders`, `local activity: …`, `child: order`, or `timer`: all timers are one. */
export type Step = `${'activity' | 'local activity' | 'child'}: ${string}` | 'timer';

/** Where a history says which two steps the code that replays it is to take for each other. */
export const EXCHANGE_MEMO = 'exchange';

export function stepOf(kind: 'activity' | 'local activity' | 'child', name: string): Step {
  return `${kind}: ${name}`;
}
