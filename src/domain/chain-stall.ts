/**
 * Whether what arrives on a chain can be counted. Endpoints that do not answer, or contradict each other, halt it: nothing is concluded on the word
 * of one of them. An operator hears of that once it lasts, and of its end. Pure.
 */
import { isoTime } from './clock';

export interface ChainStall {
  readonly chainId: number;
  readonly chain: string;
  /** What the endpoints did, in words. */
  readonly words: string;
  readonly since: string;
  /** The newest read that it kept from a conclusion. */
  readonly lastAt: string;
  /** null: it has not lasted long enough to be told. */
  readonly toldAt: string | null;
}

/** Kinds of account.alert in an operator's own stream. */
export const CHAIN_ALERTS = { stalled: 'chainStalled', resumed: 'chainResumed' } as const;
export type ChainAlert = (typeof CHAIN_ALERTS)[keyof typeof CHAIN_ALERTS];

/** Two nodes may differ for a moment about the newest block, and one may restart: longer than that is somebody's work. */
export const STALL_TOLD_AFTER_MS = 60_000;

/** After one read of the chain, which `words` kept from a conclusion; null: nothing did. `tell`: of `stall`, or of the one that is over. */
export function afterChainRead(known: ChainStall | null, { chainId, chain, words }: Pick<ChainStall, 'chainId' | 'chain'> & { readonly words: string | null }, nowMs: number): { readonly stall: ChainStall | null; readonly tell: ChainAlert | null } {
  if (words === null) return { stall: null, tell: known !== null && known.toldAt !== null ? CHAIN_ALERTS.resumed : null };
  const at = isoTime(nowMs);
  // What nobody looked at meanwhile may have been over meanwhile: a read that failed before its worker stopped makes no long stall of the first one after.
  const lasts = known !== null && (known.toldAt !== null || nowMs - Date.parse(known.lastAt) < STALL_TOLD_AFTER_MS);
  const stall: ChainStall = { chainId, chain, words, since: lasts ? known.since : at, lastAt: at, toldAt: known?.toldAt ?? null };
  if (stall.toldAt !== null || nowMs - Date.parse(stall.since) < STALL_TOLD_AFTER_MS) return { stall, tell: null };
  return { stall: { ...stall, toldAt: at }, tell: CHAIN_ALERTS.stalled };
}
