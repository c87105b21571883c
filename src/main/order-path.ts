/** Wires the one sender of venue requests and what stands on it. */
import { AttemptSender } from '../activities/attempt-sender';
import { MutationSettler } from '../activities/mutation-settler';
import { NonceSettler } from '../activities/nonce-settler';
import type { Platform } from './platform';

export interface OrderPath {
  readonly sender: AttemptSender;
  readonly settler: MutationSettler;
  readonly nonces: NonceSettler;
}

export function wireOrderPath({ store, venues, clock }: Platform): OrderPath {
  const ports = { clock, venues, sending: store.sending, credentials: (accountId: string) => store.accounts.credentials(accountId) };
  const sender = new AttemptSender(ports);
  const orderById = async (id: string) => (await store.orders.byIds([id]))[0] ?? null;
  const nonces = new NonceSettler({ nonces: store.nonces, credentials: ports.credentials });
  const settleNonce: NonceSettler['settle'] = (venue, accountId, signal) => nonces.settle(venue, accountId, signal);
  return { sender, nonces, settler: new MutationSettler({ ...ports, mutations: store.mutations, evidence: store.evidence, orderById, settleNonce }, sender) };
}
