/** Deposits, their orders and withdrawals whose workflow Temporal lost: their rows say where they stand, and somebody has to go on. */
import { isoTime } from '../domain/clock';
import { isBeingReadBack } from '../domain/store-state';
import { SweepRound } from '../domain/sweep-page';
import { DepositGateway } from '../temporal/deposit-gateway';
import { WithdrawalGateway } from '../temporal/withdrawal-gateway';
import { depositWaits } from './deposits';
import { fundedOrderGateway } from './funded-orders';
import type { Platform } from './platform';
import { withdrawalWaits } from './withdrawals';

/** Most of each kind that one sweep looks at, the longest unchanged first: the next goes on where it stopped. */
const SWEPT = 500;
/** A sweep comes each few seconds: what it has not taken up in so long, nobody would. */
const UNBEGUN_WITHIN_MS = 90 * 86_400_000;

/** One sweep, again and again. */
export function walletSweep(platform: Platform): () => Promise<void> {
  const { store, temporal, settings, clock } = platform;
  const deposits = new DepositGateway(temporal.client, depositWaits(settings));
  const orders = fundedOrderGateway(platform);
  const withdrawals = new WithdrawalGateway(temporal.client, withdrawalWaits(settings));
  const attended = new SweepRound(SWEPT, (page) => store.deposits.attended(isoTime(clock.nowMs() - settings.depositWatchAfterMs), page));
  const unbegun = new SweepRound(SWEPT, (page) => store.deposits.unbegun(isoTime(clock.nowMs() - UNBEGUN_WITHIN_MS), page));
  const funded = new SweepRound(SWEPT, (page) => store.deposits.funded(page));
  const unended = new SweepRound(SWEPT, (page) => store.withdrawals.unended(page));
  return async () => {
    // What ended since a backup would be begun anew.
    if (isBeingReadBack(await store.states.read())) return;
    for (const deposit of await attended.next()) await deposits.revive(deposit);
    for (const deposit of await unbegun.next()) await deposits.revive(deposit);
    for (const deposit of await funded.next()) await orders.revive(deposit);
    for (const withdrawal of await unended.next()) await withdrawals.revive(withdrawal);
  };
}
