/** Wires deposits that go on to the account of a venue: whether they may, and what takes them there. */
import { AccountFunding } from '../activities/account-funding';
import type { Deposit, DepositDestination } from '../domain/deposit';
import { faultOfWay, type DepositWay } from '../domain/deposit-way';
import { DomainError } from '../domain/errors';
import type { Withdrawal } from '../domain/withdrawal';
import { VenueRefused } from '../domain/venue-errors';
import { WithdrawalGateway } from '../temporal/withdrawal-gateway';
import type { PlannedTerms } from '../api/order-list-desk';
import type { FundedOrder } from '../domain/funded-order';
import type { DepositRequest } from '../schemas/deposits';
import type { ThenOrderRequest } from '../schemas/then-order';
import { fundedOrderGateway } from './funded-orders';
import { nameUuid } from './name-uuid';
import type { Platform } from './platform';
import { withdrawalWaits } from './withdrawals';

/** Of a worker. */
export function accountFunding(platform: Platform): AccountFunding {
  const { store, clock, settings, temporal } = platform;
  const gateway = new WithdrawalGateway(temporal.client, withdrawalWaits(settings));
  const orders = fundedOrderGateway(platform);
  return new AccountFunding({
    clock,
    depositById: (id) => store.deposits.byId(id),
    withdrawals: store.withdrawals,
    wayInto: (accountId, userId) => wayInto(platform, accountId, userId),
    pursueOrder: (deposit) => orders.revive(deposit),
    pursue: (funding) => gateway.revive(funding),
  });
}

/** null: its venue takes no deposits for it, or it is not there any more. */
async function wayInto({ store, venues }: Platform, accountId: string, userId: string): Promise<DepositWay | null> {
  const account = await store.accounts.get(accountId, userId);
  const venue = account === null ? undefined : venues.get(account.venue);
  if (venue?.depositWay === undefined) return null;
  try {
    return venue.depositWay(await store.accounts.freshCredentials(accountId));
  } catch (error) {
    // Credentials that the venue cannot read name no account of it.
    if (error instanceof VenueRefused) return null;
    throw error;
  }
}

/** Of a transfer that nothing is signed of yet: as it was judged when it began, by what the account is now. */
export async function faultOfFunding(platform: Platform, { funding, userId, token, amount, fromAddress, toAddress }: Withdrawal): Promise<string | null> {
  if (funding === undefined) return null;
  const way = await wayInto(platform, funding.accountId, userId);
  return faultOfWay(way, { token, wallet: fromAddress, amount }) ?? (way?.contract === toAddress ? null : 'OTHER_CONTRACT');
}

const WORDS: Readonly<Record<string, string>> = {
  NO_DEPOSIT_CONTRACT: 'its venue takes no deposits for this account',
  OTHER_TOKEN: 'its venue takes another token, or one on another chain, than deposits become here',
  OTHER_WALLET: 'its venue credits whoever sends, and this account is of another address than your deposit wallet: add an account whose address is that of GET /api/v1/deposit-address',
};

/** Of a request. Throws NOT_FOUND for an account that is not the user's, UNPROCESSABLE where nothing can go there. */
export async function destinationOf(platform: Platform, asked: DepositRequest['destination'], { id, userId, to, toAddress }: Pick<Deposit, 'id' | 'userId' | 'to' | 'toAddress'>, plan: () => Promise<PlannedTerms | null>): Promise<DepositDestination | null> {
  if (asked === undefined) return null;
  const { accountId, thenOrder } = asked;
  if ((await platform.store.accounts.get(accountId, userId)) === null) throw new DomainError('NOT_FOUND', 'no such account', { details: { field: 'destination.accountId' } });
  const fault = faultOfWay(await wayInto(platform, accountId, userId), { token: to, wallet: toAddress, amount: null });
  if (fault !== null) throw new DomainError('UNPROCESSABLE', `a deposit cannot go on to this account: ${WORDS[fault] ?? fault}`, { details: { field: 'destination.accountId', fault } });
  const goesOn: DepositDestination = { accountId, fundingId: nameUuid(`funding\n${id}`) };
  const terms = thenOrder === undefined ? null : await plan();
  return thenOrder === undefined || terms === null ? goesOn : { ...goesOn, order: waitingOrder(id, thenOrder, terms) };
}

/** Its names are functions of the deposit's: whoever places it places this one. */
function waitingOrder(depositId: string, asked: ThenOrderRequest, terms: PlannedTerms): FundedOrder {
  const id = nameUuid(`then-order\n${depositId}`);
  const list = { ...terms, id, clientListId: `deposit-${depositId}`, ownerWorkflowId: `order-list/${id}` };
  return { state: 'WAITING', reason: null, onRefused: asked.onRefused, asked: { ...asked }, list, credited: null, entry: null, back: null };
}
