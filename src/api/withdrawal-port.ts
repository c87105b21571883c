/** What the API needs of withdrawals. */
import type { Hex } from '../domain/deposit';
import type { Withdrawal, WithdrawalAddress, WithdrawalDecision, WithdrawalState, WithdrawalStep } from '../domain/withdrawal';

export interface WithdrawalsPort {
  /** Throws UNPROCESSABLE beyond a limit, for an address that may not be used or where wallets are not configured; INSUFFICIENT_BALANCE; IDEMPOTENCY_MISMATCH. */
  begin(userId: string, request: { readonly amount: string; readonly toAddress: Hex }, idempotencyKey: string | null, actor: string): Promise<Withdrawal>;
  get(id: string, userId: string): Promise<Withdrawal | null>;
  list(query: { readonly userId: string; readonly state: WithdrawalState | null; readonly cursor: string | null; readonly limit: number }): Promise<{ readonly withdrawals: readonly Withdrawal[]; readonly nextCursor: string | null }>;
  /** null where there is no such withdrawal of this user. */
  steps(id: string, userId: string): Promise<readonly WithdrawalStep[] | null>;
  /** Throws FORBIDDEN for whoever asked for it, CONFLICT where it waits for no word. */
  decide(withdrawal: Withdrawal, decision: WithdrawalDecision, note: string, actor: string): Promise<Withdrawal>;
  cancel(withdrawal: Withdrawal, actor: string): Promise<Withdrawal>;
  /** Throws VALIDATION for a contract that keeps what is sent to it, CONFLICT for one that is listed. */
  addAddress(userId: string, address: Hex, label: string, actor: string): Promise<WithdrawalAddress>;
  addresses(userId: string): Promise<readonly WithdrawalAddress[]>;
  removeAddress(id: string, userId: string, actor: string): Promise<WithdrawalAddress>;
}
