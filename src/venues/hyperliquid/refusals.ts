/**
 * The venue's refusals, which are English sentences, in our codes. Sources: its documentation, "Error responses", and sentences
 * that users of its SDKs were given and published; docs/venues.md says which. An order's sentence mostly ends in ` asset=N`.
 */
import type { RefusalCode } from '../../domain/venue';

/** The first that matches counts. */
const REFUSALS: readonly (readonly [RegExp, RefusalCode])[] = [
  // It cancels first and places then: the order is gone, whatever kept the new one out. Only the order itself can tell.
  [/^error placing new order during modify/i, 'alreadyClosed'],
  [/API Wallet .* does not exist|Must deposit before|Vault not registered/i, 'unauthorized'],
  // Used by these very bytes, most likely, or so long ago that it counts as too low. Never a final answer.
  [/invalid nonce|duplicate nonce|nonce too (low|high)/i, 'duplicateClientId'],
  [/expire/i, 'expiredRequest'],
  [/insufficient (margin|balance|spot balance)|margin tier limit/i, 'insufficientMargin'],
  [/tick size|invalid price|away from the reference price|too far from|invalid TP\/SL price|oracle/i, 'invalidPrice'],
  [/minimum value|invalid size|zero size|value too large/i, 'invalidQuantity'],
  [/post only/i, 'postOnlyWouldCross'],
  [/reduce only/i, 'reduceOnlyWouldIncrease'],
  [/immediately match|no liquidity/i, 'noLiquidity'],
  [/never placed, already canceled, or filled/i, 'notFound'],
  [/cannot modify canceled or filled/i, 'alreadyClosed'],
  [/invalid asset|delisted|trading is halted/i, 'marketClosed'],
];

/** `other` for a sentence nobody has listed: final, and told in the venue's own words. */
export function refusalCode(words: string): RefusalCode {
  return REFUSALS.find(([pattern]) => pattern.test(words))?.[1] ?? 'other';
}
