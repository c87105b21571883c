/** An update-with-start as its callers know it: an answer, or that Temporal gave none. */
import { isGrpcServiceError, ServiceError, WorkflowNotFoundError, WorkflowUpdateRPCTimeoutOrCancelledError, type Client } from '@temporalio/client';
import { DomainError } from '../domain/errors';

/** gRPC's NOT_FOUND: what the server says of an execution that is not there, or is no more. */
const NOT_FOUND = 5;

/**
 * An update that meets its workflow as that one closes was never seen by it, and the server says so. Asked again it meets the closed workflow,
 * or one of its own; a third time the workflow would have to close again meanwhile.
 */
const TRIES = 3;

/**
 * `ask` makes one call, anew each time, under one update id. Throws SERVICE_UNAVAILABLE (outcome unknown) with these words when Temporal did
 * not answer within the deadline: the same may be asked again.
 */
export async function askTemporal<Answer>(client: Client, deadlineMs: number, silence: string, ask: () => Promise<Answer>): Promise<Answer> {
  const deadline = Date.now() + deadlineMs;
  for (let tried = 1; ; tried += 1) {
    try {
      return await client.withDeadline(deadline, ask);
    } catch (error) {
      if (isGone(error) && tried < TRIES && Date.now() < deadline) continue;
      if (isSilence(error)) throw new DomainError('SERVICE_UNAVAILABLE', silence, { outcome: 'unknown', retryAfterSeconds: 1, cause: error });
      throw error;
    }
  }
}

/** The execution that was asked is gone: nothing of the question was done. */
export function isGone(error: unknown): boolean {
  return error instanceof WorkflowNotFoundError || (error instanceof Error && 'code' in error && error.code === NOT_FOUND);
}

/** No answer came, or none that tells what was done. A connection that breaks is a ServiceError; what the server says of one of two operations comes as it is. */
export function isSilence(error: unknown): boolean {
  return error instanceof WorkflowUpdateRPCTimeoutOrCancelledError || isGrpcServiceError(error) || isGone(error) || (error instanceof ServiceError && isGrpcServiceError(error.cause));
}
