/** Accepted orders become venue calls: per account, exits apart from entries, in batches the venue takes; a group is a call of its own. */
import type { ErrorCode } from '../../domain/errors';
import type { FirstRight, RecordedCall } from '../../domain/order-store';
import type { VenueCredentials } from '../../domain/venue';
import { addAttempt, placeRequestOf, type NonceBook } from './attempt-builder';
import type { ChangeSet } from '../change-set';
import type { StoreCore } from '../core';
import type { Candidate } from './placing';

export interface SignedCalls {
  readonly calls: readonly RecordedCall[];
  readonly rights: readonly FirstRight[];
  /** Orders whose request could not be made: they are denied, the others go on. */
  readonly failures: ReadonlyMap<string, { readonly code: ErrorCode; readonly message: string }>;
}

/**
 * Signing is pure CPU and happens inside the transaction, because a nonce belongs to the signer's locked row.
 * Where an earlier request's nonce is open nothing is signed: those orders are in no call, and their workflow sees to them.
 */
export async function signAccepted(core: StoreCore, changes: ChangeSet, nonces: NonceBook, candidates: readonly Candidate[], credentials: ReadonlyMap<string, VenueCredentials>, sendBeforeMs: number): Promise<SignedCalls> {
  const calls: RecordedCall[] = [];
  const rights: FirstRight[] = [];
  const failures = new Map<string, { readonly code: ErrorCode; readonly message: string }>();
  for (const batch of batches(core, candidates)) {
    const [first] = batch;
    const venue = first === undefined ? undefined : core.venues.get(first.intent.venue);
    const keys = first === undefined ? undefined : credentials.get(first.account.id);
    if (first === undefined || venue === undefined || keys === undefined) continue; // such candidates were denied before
    if (nonces.holderOf(first.account) !== null) continue;
    const orders = batch.map((candidate) => candidate.order);
    const isExit = first.order.reduceOnly;
    try {
      const right = await addAttempt(core, changes, nonces, {
        account: first.account, venue, session: venue.session(keys), orders, isExit, mutationId: null, resendOf: null,
        // No later than the earliest order of the batch may be placed.
        sendBeforeMs: Math.min(sendBeforeMs, ...batch.map((candidate) => Date.parse(candidate.intent.placeBefore))),
        sign: (session, context) => session.preparePlace(orders.map(placeRequestOf), first.intent.group === undefined ? context : { ...context, grouping: first.intent.group.grouping }),
      });
      rights.push(right);
      calls.push({ attemptId: right.attemptId, venue: venue.name, accountId: first.account.id, orderIds: orders.map((order) => order.id), exit: isExit });
    } catch (error) {
      const message = `the request could not be made ready: ${error instanceof Error ? error.message : String(error)}`;
      for (const order of orders) failures.set(order.id, { code: 'UNPROCESSABLE', message });
    }
  }
  return { calls, rights, failures };
}

function batches(core: StoreCore, candidates: readonly Candidate[]): Candidate[][] {
  const groups = new Map<string, Candidate[]>();
  for (const candidate of candidates) {
    // What belongs together at the venue is one request, and nothing else is in it.
    const key = candidate.intent.group === undefined ? `${candidate.account.id} ${String(candidate.order.reduceOnly)}` : `group ${candidate.intent.group.groupId}`;
    groups.set(key, [...(groups.get(key) ?? []), candidate]);
  }
  return [...groups.values()].flatMap((group) => {
    const size = group[0]?.intent.group === undefined ? (core.venues.get(group[0]?.intent.venue ?? '')?.capabilities.maxBatchSize ?? 1) : group.length;
    return Array.from({ length: Math.ceil(group.length / size) }, (_, index) => group.slice(index * size, (index + 1) * size));
  });
}
