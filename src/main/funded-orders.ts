/** Wires what is done with a deposit's money at its venue. */
import { createFundedOrderActivities, type FundedOrderActivities } from '../activities/funded-order-activities';
import { FundedOrderPath } from '../activities/funded-order-path';
import { VenueExits, type VenueAccess } from '../activities/venue-exits';
import { VenueRefused } from '../domain/venue-errors';
import { FundedOrderGateway } from '../temporal/funded-order-gateway';
import { ensureOrderList } from '../temporal/supervising';
import type { DepositParts } from './deposits';
import type { Platform } from './platform';

/** Of a worker. */
export function fundedOrderActivities(platform: Platform, { signer, chains }: Pick<DepositParts, 'signer' | 'chains'>): FundedOrderActivities {
  const { store, clock, temporal, settings } = platform;
  return createFundedOrderActivities(
    new FundedOrderPath({
      clock,
      deposits: store.deposits,
      fundingById: (id) => store.withdrawals.byId(id),
      chains,
      credits: store.venueExits,
      lists: {
        create: (list) => store.orderLists.create(list, null),
        started: (list) => ensureOrderList(temporal.client, list),
        byId: (id) => store.orderLists.byId(id),
      },
      access: (accountId, userId) => accessTo(platform, accountId, userId),
      exits: new VenueExits({ clock, rows: store.venueExits, deposits: store.deposits, signer }),
      lateAfterMs: settings.depositVenueLateMs,
    }),
  );
}

export function fundedOrderGateway({ temporal, settings: { depositPollMs: pollMs, depositMaxPollMs: maxPollMs } }: Platform): FundedOrderGateway {
  return new FundedOrderGateway(temporal.client, { pollMs, maxPollMs });
}

async function accessTo({ store, venues }: Platform, accountId: string, userId: string): Promise<VenueAccess | null> {
  const account = await store.accounts.get(accountId, userId);
  const venue = account === null ? undefined : venues.get(account.venue);
  if (venue === undefined) return null;
  try {
    const credentials = await store.accounts.freshCredentials(accountId);
    return { venue, session: venue.session(credentials), contract: venue.depositWay?.(credentials)?.contract ?? null };
  } catch (error) {
    // Credentials that the venue cannot read name no account of it.
    if (error instanceof VenueRefused) return null;
    throw error;
  }
}
