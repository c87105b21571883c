/** Hyperliquid's bridge as the venue sees it: USDC that came from its chain, and USDC that is to be paid there. */
import { decimal, decimalText, isPlainDecimal, ZERO } from '../../domain/decimal';
import { PaperError } from '../errors';
import type { PaperVenue } from '../paper-venue';
import { malformed } from './hyperliquid-info';
import type { Item } from './hyperliquid-requests';
import { readAddress, type BridgeExit, type HyperliquidUsers } from './hyperliquid-users';

/** Less is lost, as at the venue. */
const MINIMUM_DEPOSIT = decimal('5');
const EXIT_FEE = decimal('1');
/** USDC of the chain and of the venue have six places. */
const MAX_PLACES = 6;
const USDC = 'USDC';

/** What stands on the chain asks this of the venue. */
export interface BridgePort {
  /** USDC of this sender has come to the bridge. */
  deposit(sender: string, amount: string): Promise<void>;
  /** Everything that ever left, oldest first. */
  exits(): readonly BridgeExit[];
}

export function bridgePort(venue: PaperVenue, users: HyperliquidUsers): BridgePort {
  return {
    deposit: async (sender, amount) => {
      if (decimal(amount).lessThan(MINIMUM_DEPOSIT)) return;
      const user = readAddress(sender);
      venue.exchange.credit(venue.exchange.state.openAccount(user), USDC, decimal(amount));
      users.noteLedger(user, { time: venue.clock.now(), delta: { type: 'deposit', usdc: decimalText(amount) } });
      await venue.commit();
    },
    exits: () => users.exits,
  };
}

/** withdraw3: only the account's own wallet can have signed it. The venue keeps its fee of what is asked for. */
export function withdraw(venue: PaperVenue, users: HyperliquidUsers, user: string, { action, nonce, now }: { readonly action: Item; readonly nonce: number; readonly now: number }): void {
  const { amount, time } = action;
  const destination = readAddress(action['destination']);
  if (time !== nonce || typeof amount !== 'string' || !isPlainDecimal(amount) || decimal(amount).decimalPlaces() > MAX_PLACES) throw malformed();
  const net = decimal(amount).minus(EXIT_FEE);
  if (net.lessThanOrEqualTo(ZERO)) throw new PaperError('BAD_REQUEST', 'Withdrawal amount must be greater than the fee'); // (ours)
  const account = users.account(user, '');
  if (account === null || account.available(USDC, venue.exchange.state.markOf).lessThan(decimal(amount))) throw new PaperError('BAD_REQUEST', 'Insufficient balance for withdrawal.');
  venue.exchange.credit(account, USDC, decimal(amount).negated());
  users.noteLedger(user, { time: now, delta: { type: 'withdraw', usdc: decimalText(net), nonce, fee: '1.0' } });
  users.noteExit({ user, destination, amount: decimalText(net), nonce });
}
