/** Deposits and withdrawals whose workflow Temporal lost: their rows say where they stand, and somebody has to go on. */
import { isoTime } from '../domain/clock';
import { DepositGateway } from '../temporal/deposit-gateway';
import { WithdrawalGateway } from '../temporal/withdrawal-gateway';
import { depositWaits } from './deposits';
import type { Platform } from './platform';
import { withdrawalWaits } from './withdrawals';

/** Most of each kind that one sweep looks at, the longest unchanged first: what is left is for a later one. */
const SWEPT = 500;

export async function sweepWallets({ store, temporal, settings, clock }: Platform): Promise<void> {
  const deposits = new DepositGateway(temporal.client, depositWaits(settings));
  for (const deposit of await store.deposits.attended(isoTime(clock.nowMs() - settings.depositWatchAfterMs), SWEPT)) await deposits.revive(deposit);
  const withdrawals = new WithdrawalGateway(temporal.client, withdrawalWaits(settings));
  for (const withdrawal of await store.withdrawals.unended(SWEPT)) await withdrawals.revive(withdrawal);
}
