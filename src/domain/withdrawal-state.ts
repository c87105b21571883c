/** The one function that moves a withdrawal: (withdrawal, fact) to the next, forward only. And what it holds in the books. */
import { decimal } from './decimal';
import { assetOf, type Hex } from './deposit';
import { Moves } from './ledger';
import { postingsBetween, type WalletBook, type WalletFact, type WalletPosting } from './wallet-ledger';
import { UNSIGNED_WITHDRAWAL_STATES, type Withdrawal, type WithdrawalState } from './withdrawal';

export type WithdrawalFact =
  | { readonly kind: 'approved'; readonly by: string; readonly note: string }
  | { readonly kind: 'refused'; readonly by: string; readonly note: string }
  | { readonly kind: 'canceled'; readonly by: string }
  | { readonly kind: 'expired' }
  /** It cannot be signed yet: the wallet has no gas, or the signer does not answer. */
  | { readonly kind: 'held'; readonly reason: string }
  /** It cannot be done, and nothing was signed. */
  | { readonly kind: 'impossible'; readonly reason: string }
  /** Its bytes are kept; from now on they may leave. Again with a higher fee. */
  | { readonly kind: 'signed'; readonly nonce: number; readonly hash: Hex; readonly neededConfirmations: number }
  | { readonly kind: 'sent' }
  | { readonly kind: 'seen'; readonly hash: Hex; readonly confirmations: number }
  /** A final block holds the transfer. */
  | { readonly kind: 'paid'; readonly hash: Hex; readonly gasFee: string; readonly confirmations: number }
  | { readonly kind: 'reverted'; readonly hash: Hex; readonly gasFee: string; readonly confirmations: number }
  /** A final block holds another transaction of its nonce. */
  | { readonly kind: 'displaced'; readonly hash: Hex };

const OUT: ReadonlySet<WithdrawalState> = new Set(['SIGNED', 'SUBMITTED']);

/** The withdrawal after the fact; null where the fact changes nothing or comes too late. */
export function advanceWithdrawal(withdrawal: Withdrawal, fact: WithdrawalFact): Withdrawal | null {
  const { state, transaction } = withdrawal;
  const to = (next: WithdrawalState, changes: Partial<Withdrawal> = {}): Withdrawal => ({ ...withdrawal, reason: null, ...changes, state: next });
  switch (fact.kind) {
    case 'approved':
      return state === 'AWAITING_APPROVAL' && fact.by !== withdrawal.requestedBy ? to('APPROVED', { decidedBy: fact.by, note: fact.note }) : null;
    case 'refused':
      return state === 'AWAITING_APPROVAL' && fact.by !== withdrawal.requestedBy ? to('REFUSED', { decidedBy: fact.by, note: fact.note }) : null;
    case 'canceled':
      return UNSIGNED_WITHDRAWAL_STATES.has(state) ? to('CANCELED') : null;
    case 'expired':
      return state === 'AWAITING_APPROVAL' ? to('EXPIRED') : null;
    case 'held':
      return state === 'APPROVED' && withdrawal.reason !== fact.reason ? to(state, { reason: fact.reason }) : null;
    case 'impossible':
      return state === 'APPROVED' ? to('FAILED', { reason: fact.reason }) : null;
    case 'signed':
      return signed(withdrawal, fact);
    case 'sent':
      return state === 'SIGNED' ? to('SUBMITTED') : null;
    case 'seen':
      if (!OUT.has(state) || transaction === null || (transaction.hash === fact.hash && transaction.confirmations === fact.confirmations && state === 'SUBMITTED')) return null;
      return to('SUBMITTED', { transaction: moved(transaction, fact.hash, { confirmations: fact.confirmations }) });
    case 'paid':
      return OUT.has(state) && transaction !== null ? to('COMPLETED', { transaction: moved(transaction, fact.hash, fact) }) : null;
    case 'reverted':
      return OUT.has(state) && transaction !== null ? to('FAILED', { reason: 'REVERTED', transaction: moved(transaction, fact.hash, fact) }) : null;
    case 'displaced':
      return OUT.has(state) ? to('FAILED', { reason: 'NONCE_TAKEN' }) : null;
  }
}

function signed(withdrawal: Withdrawal, { nonce, hash, neededConfirmations }: Extract<WithdrawalFact, { kind: 'signed' }>): Withdrawal | null {
  const { state, transaction } = withdrawal;
  if (state === 'APPROVED') return { ...withdrawal, state: 'SIGNED', reason: null, transaction: { nonce, hash, earlierHashes: [], confirmations: 0, neededConfirmations, gasFee: null } };
  if (!OUT.has(state) || transaction === null || transaction.hash === hash || transaction.earlierHashes.includes(hash)) return null;
  return { ...withdrawal, reason: 'FEE_RAISED', transaction: moved(transaction, hash, { confirmations: 0 }) };
}

function moved(transaction: NonNullable<Withdrawal['transaction']>, hash: Hex, { confirmations, gasFee = null }: { readonly confirmations: number; readonly gasFee?: string | null }): NonNullable<Withdrawal['transaction']> {
  const earlierHashes = transaction.hash === hash ? transaction.earlierHashes : [...transaction.earlierHashes.filter((each) => each !== hash), transaction.hash];
  return { ...transaction, hash, earlierHashes, confirmations, gasFee };
}

/** What the books hold of it: reserved until it is known, then gone, or back in the wallet. Gas of a transaction of ours is a cost either way. */
export function standingOfWithdrawal({ state, token, amount, transaction }: Withdrawal): readonly WalletPosting[] {
  const moves = new Moves<WalletBook>();
  const gas = transaction?.gasFee ?? null;
  if (gas !== null) moves.move('transfers', 'fees', `gas@${token.chainId}`, decimal(gas));
  if (state === 'COMPLETED') moves.move('wallet', 'transfers', assetOf(token), decimal(amount));
  else if (state === 'AWAITING_APPROVAL' || state === 'APPROVED' || OUT.has(state)) moves.move('wallet', 'reserved', assetOf(token), decimal(amount));
  return moves.postings();
}

/** How the step is booked; null where it moves no money. `before` null: it begins. */
export function withdrawalFactOf(before: Withdrawal | null, after: Withdrawal): WalletFact | null {
  const postings = postingsBetween(before === null ? [] : standingOfWithdrawal(before), standingOfWithdrawal(after));
  return postings.length === 0 ? null : { fact: `withdrawal/${after.id}/${after.revision}`, kind: 'withdrawal', postings };
}
