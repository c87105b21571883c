/** What the API needs of deposits. */
import type { ChainToken, Deposit, DepositState, DepositStep, Hex } from '../domain/deposit';
import type { DepositDecision } from '../domain/deposit-state';
import type { SuspenseEntry } from '../domain/suspense';
import type { PlannedTerms } from './order-list-desk';
import type { DepositRequest } from '../schemas/deposits';

export interface DepositsPort {
  /** `plan`: checks what is to be done at the venue, and throws what an order list would; asked for a new deposit only. Throws UNPROCESSABLE where no quote can be had, or deposits are not configured; VALIDATION for a chain, token or amount that is none. */
  begin(userId: string, request: DepositRequest, idempotencyKey: string | null, plan?: () => Promise<PlannedTerms | null>): Promise<Deposit>;
  get(id: string, userId: string): Promise<Deposit | null>;
  list(query: { readonly userId: string; readonly state: DepositState | null; readonly cursor: string | null; readonly limit: number }): Promise<{ readonly deposits: readonly Deposit[]; readonly nextCursor: string | null }>;
  /** null where there is no such deposit of this user. */
  steps(id: string, userId: string): Promise<readonly DepositStep[] | null>;
  /** Made on first use. */
  address(userId: string): Promise<{ readonly address: Hex; readonly token: ChainToken }>;
  submit(deposit: Deposit, hash: Hex): Promise<Deposit>;
  requote(deposit: Deposit): Promise<Deposit>;
  cancel(deposit: Deposit): Promise<Deposit>;
  suspense(query: { readonly userId: string; readonly cursor: string | null; readonly limit: number }): Promise<{ readonly entries: readonly SuspenseEntry[]; readonly nextCursor: string | null }>;
  /** `depositId` null: it is the user's. Throws NOT_FOUND where nothing of this user is held under the id; CONFLICT where the deposit cannot take it. */
  settleSuspense(decision: { readonly id: string; readonly userId: string; readonly note: string; readonly actor: string }, depositId: string | null): Promise<Deposit>;
  decide(deposit: Deposit, decision: DepositDecision, note: string, actor: string): Promise<Deposit>;
}
