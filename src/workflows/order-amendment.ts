/** Amends one order against the revision its caller saw. */
import type { MutationInput, MutationOutcome } from './messages';
import { runMutation } from './order-mutation';

export async function orderAmendment(input: MutationInput): Promise<MutationOutcome> {
  return runMutation(input);
}
