/** Actions of the simulated Hyperliquid that are about an account and not about orders. Words marked (ours) are not documented by the venue. */
import { Decimal, decimal, isPlainDecimal } from '../../domain/decimal';
import { PaperError } from '../errors';
import type { Account } from '../account';
import type { PaperVenue } from '../paper-venue';
import { malformed } from './hyperliquid-info';
import { dexName, integer, type Item } from './hyperliquid-requests';
import { collateralOf, tokenByName, type HyperliquidAsset } from './hyperliquid-universe';
import { accountName, readAddress, type HyperliquidUsers } from './hyperliquid-users';

/** A dead-man switch is at least so far ahead. */
const MIN_SCHEDULE_MS = 5_000;
/** Margin is told in millionths. */
const MARGIN_UNITS = decimal('0.000001');
const USDC = 'USDC';

export function updateLeverage(venue: PaperVenue, account: Account, asset: HyperliquidAsset, action: Item): void {
  const leverage = integer(action['leverage']);
  const { isCross } = action;
  if (typeof isCross !== 'boolean') throw malformed();
  if (leverage < 1 || leverage > asset.maxLeverage) throw new PaperError('BAD_REQUEST', 'Invalid leverage value');
  if (isCross && asset.onlyIsolated) throw new PaperError('BAD_REQUEST', 'Cross margin is not allowed for this asset.');
  try {
    venue.exchange.setLeverage(account, asset.coin, leverage, !isCross);
  } catch (error) {
    if (error instanceof PaperError && error.code === 'INSUFFICIENT_MARGIN') throw new PaperError('BAD_REQUEST', 'Insufficient margin to update leverage.');
    throw error;
  }
}

export function updateIsolatedMargin(venue: PaperVenue, account: Account, asset: HyperliquidAsset, action: Item): void {
  if (typeof action['isBuy'] !== 'boolean') throw malformed();
  const amount = new Decimal(integer(action['ntli'])).times(MARGIN_UNITS);
  const holding = account.holdings.get(asset.coin);
  if (holding === undefined || holding.quantity.isZero() || !holding.isolated) throw new PaperError('BAD_REQUEST', 'Position does not use isolated margin.');
  try {
    venue.exchange.adjustMargin(account, asset.coin, amount);
  } catch (error) {
    if (error instanceof PaperError && error.code === 'INSUFFICIENT_MARGIN') throw new PaperError('BAD_REQUEST', 'Insufficient margin to update isolated margin.'); // (ours)
    throw error;
  }
}

/** All dexes of the user at once: the switch is the user's. */
export function scheduleCancel(venue: PaperVenue, users: HyperliquidUsers, user: string, time: unknown, now: number): void {
  if (time !== null && (typeof time !== 'number' || time < now + MIN_SCHEDULE_MS)) {
    throw new PaperError('BAD_REQUEST', 'Schedule cancel time must be at least 5 seconds in the future');
  }
  if (time !== null) users.checkSwitchVolume(user);
  if (time !== null && !users.mayArmSwitch(user, now)) throw new PaperError('BAD_REQUEST', 'Scheduled cancel was triggered too often today'); // (ours)
  for (const account of users.accountsOf(user)) venue.setDeadMan(account, time === null ? 0 : time - now);
}

/** usdClassTransfer: between the venue's own dex and the spot wallet. */
export function classTransfer(venue: PaperVenue, users: HyperliquidUsers, user: string, action: Item): void {
  const [from, to] = action['toPerp'] === true ? ['spot', ''] as const : ['', 'spot'] as const;
  transfer(venue, users, { from: user, fromDex: from, to: user, toDex: to, token: USDC, amount: action['amount'] });
}

/** sendAsset and agentSendAsset: an agent moves nothing out of the account. */
export function sendAsset(venue: PaperVenue, users: HyperliquidUsers, user: string, action: Item, byAgent: boolean, now: number): void {
  const destination = readAddress(action['destination']);
  const subAccount = action['fromSubAccount'] === '' || action['fromSubAccount'] === undefined ? null : readAddress(action['fromSubAccount']);
  if (subAccount !== null && users.vaultLeaders.get(subAccount) !== user) throw new PaperError('BAD_REQUEST', `Invalid sub-account: ${subAccount}`); // (ours)
  const from = subAccount ?? user;
  if (byAgent && destination !== from && users.vaultLeaders.get(destination) !== user) throw new PaperError('BAD_REQUEST', 'Agent can only send asset to same user or their sub-accounts.');
  const token = tokenByName(action['token']);
  if (token === undefined) throw new PaperError('BAD_REQUEST', `Unknown token ${String(action['token'])}`);
  const [sourceDex, destinationDex] = [dexName(action['sourceDex']), dexName(action['destinationDex'])];
  const { amount } = action;
  transfer(venue, users, { from, fromDex: sourceDex, to: destination, toDex: destinationDex, token: token.name, amount });
  const delta = { type: 'send', user: from, destination, sourceDex, destinationDex, token: token.name, amount: String(amount), usdcValue: String(amount), fee: '0.0', nativeTokenFee: '0.0', nonce: integer(action['nonce']), feeToken: '' };
  for (const party of new Set([from, destination])) users.noteLedger(party, { time: now, delta });
}

/** subAccountTransfer: USDC between a user and a sub-account, in millionths. */
export function subAccountTransfer(venue: PaperVenue, users: HyperliquidUsers, user: string, action: Item): void {
  const subAccount = readAddress(action['subAccountUser']);
  if (users.vaultLeaders.get(subAccount) !== user) throw new PaperError('BAD_REQUEST', `Invalid sub-account transfer from ${user} to ${subAccount}`);
  const amount = new Decimal(integer(action['usd'])).times(MARGIN_UNITS).toFixed();
  const [from, to] = action['isDeposit'] === true ? [user, subAccount] : [subAccount, user];
  transfer(venue, users, { from, fromDex: '', to, toDex: '', token: USDC, amount });
}

interface Transfer {
  readonly from: string;
  readonly fromDex: string;
  readonly to: string;
  readonly toDex: string;
  readonly token: string;
  readonly amount: unknown;
}

/** A dex takes the token that margins it and no other; the core calls that USDC on every dex. */
function transfer(venue: PaperVenue, users: HyperliquidUsers, { from, fromDex, to, toDex, token, amount }: Transfer): void {
  const value = typeof amount === 'string' && isPlainDecimal(amount) ? decimal(amount) : new Decimal(0);
  if (!value.greaterThan(0)) throw malformed();
  for (const dex of [fromDex, toDex]) if (dex !== 'spot' && collateralOf(dex) !== token) throw new PaperError('BAD_REQUEST', 'Invalid token');
  const [source, target] = [users.account(from, fromDex), users.account(to, toDex)];
  if (source === null || target === null) throw new PaperError('BAD_REQUEST', `User does not exist: ${accountName(to, toDex)}`);
  const [paid, received] = [fromDex === 'spot' ? token : USDC, toDex === 'spot' ? token : USDC];
  if (source.available(paid, venue.exchange.state.markOf).lessThan(value)) throw new PaperError('BAD_REQUEST', 'Insufficient balance for token transfer');
  venue.exchange.credit(source, paid, value.negated());
  venue.exchange.credit(target, received, value);
}
