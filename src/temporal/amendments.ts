/**
 * Ids of amendments: Temporal does once what has one id, and tells whoever asks again what became of the first. So an id has the terms in it:
 * of two amendments of one revision with different terms, the second must hear from the row that it lost, and not that the first was taken.
 */
import { createHash } from 'node:crypto';
import { termsName, type AskedTerms } from '../domain/amended-terms';
import type { MutationIntent } from '../domain/order-store';
import { amendmentWorkflowId } from './workflow-ids';

/** The update of a waiting order's workflow. */
export function heldAmendmentId(expectedRevision: number, terms: AskedTerms): string {
  return `amend/${expectedRevision}/${termsName(terms, sha256Hex)}`;
}

/** The workflow that amends a working order for a caller. */
export function amendmentIdOf({ orderId, expectedRevision, limitPrice, quantity, triggerPrice = null }: MutationIntent): string {
  return amendmentWorkflowId(orderId, expectedRevision ?? 0, termsName({ limitPrice, quantity, triggerPrice }, sha256Hex));
}

function sha256Hex(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}
