/** Cancels one order, and repeats that until the order's outcome is evidence: "not found" is never such evidence. */
import type { MutationInput, MutationOutcome } from './messages';
import { runMutation } from './order-mutation';

export async function orderCancellation(input: MutationInput): Promise<MutationOutcome> {
  return runMutation(input);
}
