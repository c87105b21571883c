/** The activities of deposits: what they do is in deposit-path.ts and deposit-arrivals.ts. */
import { Context } from '@temporalio/activity';
import type { Deposit, DepositState, Hex } from '../domain/deposit';
import type { DepositDecision } from '../domain/deposit-state';
import { ChainUnreadable } from '../domain/chain';
import type { AccountFunding } from './account-funding';
import { beating } from './beating';
import type { DepositArrivals } from './deposit-arrivals';
import type { DepositAnswer, DepositPath } from './deposit-path';

export interface DepositActivities {
  beginDeposit(input: { readonly deposit: Deposit }): Promise<DepositAnswer>;
  quoteDeposit(input: { readonly depositId: string }): Promise<DepositAnswer>;
  takeTransaction(input: { readonly depositId: string; readonly hash: Hex }): Promise<DepositAnswer>;
  callOffDeposit(input: { readonly depositId: string }): Promise<DepositAnswer>;
  noteDecision(input: { readonly depositId: string; readonly userId: string; readonly decision: DepositDecision; readonly note: string; readonly actor: string }): Promise<DepositAnswer>;
  noteDepositFact(input: { readonly depositId: string; readonly fact: 'expired' | 'graceOver' }): Promise<DepositState>;
  lookAtSource(input: { readonly depositId: string; readonly unknownForMs: number; readonly dropAfterMs: number }): Promise<DepositState>;
  lookAtArrivals(input: { readonly depositId: string }): Promise<DepositState>;
}

export interface ChainWatchActivities {
  /** Until it is canceled. */
  watchChain(input: { readonly chainId: number }): Promise<void>;
}

export function createDepositActivities(path: DepositPath, arrivals: Pick<DepositArrivals, 'look'>, funding: Pick<AccountFunding, 'forward'>): DepositActivities {
  return {
    beginDeposit: ({ deposit }) => path.begin(deposit),
    quoteDeposit: ({ depositId }) => path.quote(depositId),
    takeTransaction: ({ depositId, hash }) => path.take(depositId, hash),
    callOffDeposit: ({ depositId }) => path.cancel(depositId),
    noteDecision: async ({ depositId, userId, decision, note, actor }) => {
      const answer = await path.decide(depositId, userId, decision, note, actor);
      // What was held at a venue is at once asked for anew.
      if (answer.refused === null && decision === 'resume') await funding.forward(depositId);
      return answer;
    },
    noteDepositFact: ({ depositId, fact }) => path.note(depositId, fact === 'expired' ? { kind: 'expired' } : { kind: 'graceOver', reason: 'TOOK_TOO_LONG' }),
    lookAtSource: ({ depositId, unknownForMs, dropAfterMs }) => beating(() => path.lookAtSource(depositId, unknownForMs, dropAfterMs)),
    lookAtArrivals: ({ depositId }) =>
      beating(async () => {
        const state = await arrivals.look(depositId);
        await funding.forward(depositId);
        return state;
      }),
  };
}

export interface ChainWatchPorts {
  readonly arrivals: Pick<DepositArrivals, 'scan'>;
  /** Of each read: what its endpoints kept from a conclusion, null where nothing. */
  readonly noted: (chainId: number, words: string | null) => Promise<void>;
  /** ms between two reads. */
  readonly scanMs: number;
  /** Aborted when this process gives its work away. */
  readonly leaving: AbortSignal;
  readonly sleep: (ms: number, signal: AbortSignal) => Promise<void>;
  readonly onTrouble: (error: unknown) => void;
}

/** One read of a chain, and what an operator should know of it. Rejects where the chain, or the database, does not answer. */
export async function readChain({ arrivals, noted }: Pick<ChainWatchPorts, 'arrivals' | 'noted'>, chainId: number): Promise<void> {
  try {
    await noted(chainId, await arrivals.scan(chainId));
  } catch (error) {
    // Its endpoints', not ours: an operator should know what they say.
    if (error instanceof ChainUnreadable) await noted(chainId, error.message);
    throw error;
  }
}

export function createChainWatchActivities({ arrivals, noted, scanMs, leaving, sleep, onTrouble }: ChainWatchPorts): ChainWatchActivities {
  return {
    watchChain: async ({ chainId }) => {
      const signal = AbortSignal.any([Context.current().cancellationSignal, leaving]);
      await beating(async () => {
        while (!signal.aborted) {
          // A chain that does not answer is asked again: its cursor stands where it stood.
          await readChain({ arrivals, noted }, chainId).catch(onTrouble);
          await sleep(scanMs, signal);
        }
      });
    },
  };
}
