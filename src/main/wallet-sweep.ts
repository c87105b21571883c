/** Deposits, their orders and withdrawals whose workflow Temporal lost: their rows say where they stand, and somebody has to go on. */
import { isoTime } from '../domain/clock';
import { DepositGateway } from '../temporal/deposit-gateway';
import { WithdrawalGateway } from '../temporal/withdrawal-gateway';
import { depositWaits } from './deposits';
import { fundedOrderGateway } from './funded-orders';
import type { Platform } from './platform';
import { withdrawalWaits } from './withdrawals';

/** Most of each kind that one sweep looks at, the longest unchanged first: what is left is for a later one. */
const SWEPT = 500;
/** A sweep comes each few seconds: what it has not taken up in so long, nobody would. */
const UNBEGUN_WITHIN_MS = 90 * 86_400_000;

export async function sweepWallets(platform: Platform): Promise<void> {
  const { store, temporal, settings, clock } = platform;
  const deposits = new DepositGateway(temporal.client, depositWaits(settings));
  for (const deposit of await store.deposits.attended(isoTime(clock.nowMs() - settings.depositWatchAfterMs), SWEPT)) await deposits.revive(deposit);
  for (const deposit of await store.deposits.unbegun(isoTime(clock.nowMs() - UNBEGUN_WITHIN_MS), SWEPT)) await deposits.revive(deposit);
  const orders = fundedOrderGateway(platform);
  for (const deposit of await store.deposits.funded(SWEPT)) await orders.revive(deposit);
  const withdrawals = new WithdrawalGateway(temporal.client, withdrawalWaits(settings));
  for (const withdrawal of await store.withdrawals.unended(SWEPT)) await withdrawals.revive(withdrawal);
}
