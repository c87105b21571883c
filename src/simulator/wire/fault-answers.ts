/** The faults that meet one HTTP request, whatever protocol it speaks. */
import { PaperError } from '../errors';
import type { Fault } from '../faults';
import type { PaperVenue } from '../paper-venue';

/** What the server is to send. `drop`: destroy the socket instead of answering. */
export interface PaperAnswer {
  readonly status: number;
  readonly text: string;
  readonly retryAfterSeconds?: number;
  readonly drop?: boolean;
}

/** How a protocol says what went wrong. */
export interface FaultWords {
  refuse(fault: Fault): PaperAnswer;
  error(error: PaperError): PaperAnswer;
}

export function errorAnswer(error: PaperError): PaperAnswer {
  return { status: error.status, text: JSON.stringify({ error: error.body() }) };
}

/** Faults before acceptance, the request itself, its commit, then the faults that meet the answer. */
export async function answerThrough(venue: PaperVenue, faults: readonly Fault[], words: FaultWords, act: () => string): Promise<PaperAnswer> {
  for (const fault of faults) {
    if (fault.kind === 'refuse') {
      venue.faults.hit(fault);
      return words.refuse(fault);
    }
    if (fault.kind === 'rateLimit') {
      venue.faults.hit(fault);
      const retryAfterSeconds = fault.retryAfterSeconds ?? 1;
      return { ...words.error(new PaperError('RATE_LIMITED', `try again in ${retryAfterSeconds} s`)), retryAfterSeconds };
    }
    if (fault.before === true) await linger(venue, fault);
  }
  let answer: PaperAnswer;
  try {
    const text = act();
    // Always waited for: what is not in the journal may not be answered, not even a read of it.
    await venue.commit();
    answer = { status: 200, text };
  } catch (error) {
    if (!(error instanceof PaperError)) throw error;
    await venue.commit();
    answer = words.error(error);
  }
  for (const fault of faults) {
    if (fault.before !== true) await linger(venue, fault);
    if (fault.kind === 'dropResponse') {
      venue.faults.hit(fault);
      answer = { ...answer, drop: true };
    }
    if (fault.kind === 'errorAfterAccept') {
      venue.faults.hit(fault);
      answer = { status: fault.status ?? 500, text: JSON.stringify({ error: { code: fault.code ?? 'INTERNAL', message: fault.message ?? 'internal error' } }) };
    }
  }
  return answer;
}

async function linger(venue: PaperVenue, fault: Fault): Promise<void> {
  if (fault.kind === 'hold') await venue.faults.hold(fault);
  if (fault.kind === 'delay') await venue.faults.delay(fault);
}
