import { describe, expect, test } from '@jest/globals';
import type { OrderStatusResponse } from '@nktkas/hyperliquid/api/info';
import { decimal } from '../../../../src/domain/decimal';
import type { VenueOrderStatus } from '../../../../src/domain/venue';
import { toStatus } from '../../../../src/venues/hyperliquid/normalize';
import { refusalCode } from '../../../../src/venues/hyperliquid/refusals';

describe('the venue\'s refusals in our codes', () => {
  test.each([
    // The whole table of its documentation, "Error responses", as orders are answered.
    ['Price must be divisible by tick size. asset=0', 'invalidPrice'],
    ['Order must have minimum value of $10. asset=0', 'invalidQuantity'],
    ['Order must have minimum value of 10 USDC. asset=10000', 'invalidQuantity'],
    ['Insufficient margin to place order. asset=0', 'insufficientMargin'],
    ['Reduce only order would increase position. asset=0', 'reduceOnlyWouldIncrease'],
    ['Post only order would have immediately matched, bbo was 1866.7@1866.9. asset=4', 'postOnlyWouldCross'],
    ['Order could not immediately match against any resting orders. asset=0', 'noLiquidity'],
    ['Invalid TP/SL price. asset=0', 'invalidPrice'],
    ['No liquidity available for market order. asset=0', 'noLiquidity'],
    ['Order would increase open interest while open interest is capped. asset=0', 'other'],
    ['Order rejected due to price more aggressive than oracle while at open interest cap. asset=0', 'invalidPrice'],
    ['Order would increase open interest too quickly. asset=0', 'other'],
    ['Order has insufficient spot balance to trade', 'insufficientMargin'],
    ['Insufficient spot balance asset=10000', 'insufficientMargin'],
    ['Order price too far from oracle', 'invalidPrice'],
    ['Price too far from oracle asset=4', 'invalidPrice'],
    ['Order would cause position to exceed margin tier limit at current leverage', 'insufficientMargin'],
    ['Order was never placed, already canceled, or filled. asset=0', 'notFound'],
    // Sentences that users were given.
    ['Order price cannot be more than 80% away from the reference price', 'invalidPrice'],
    ['Order price cannot be more than 95% away from the reference price', 'invalidPrice'],
    ['Order has invalid price.', 'invalidPrice'],
    ['Order has invalid size.', 'invalidQuantity'],
    ['Order has zero size.', 'invalidQuantity'],
    ['Order value too large. Max is $5000000.', 'invalidQuantity'],
    ['Cannot modify canceled or filled order', 'alreadyClosed'],
    ['Trading is halted.', 'marketClosed'],
    ['Main order cannot be trigger order.', 'other'],
    ['Unexpected number of trigger orders', 'other'],
    ['User or API Wallet 0x0000000000000000000000000000000000000abc does not exist.', 'unauthorized'],
    ['L1 error: User or API Wallet 0x0000000000000000000000000000000000000abc does not exist.', 'unauthorized'],
    ['Must deposit before performing actions. User: 0x0000000000000000000000000000000000000abc', 'unauthorized'],
    ['Vault not registered: 0x0000000000000000000000000000000000000abc', 'unauthorized'],
    ['Invalid nonce: duplicate nonce 1741107452532', 'duplicateClientId'],
    ['Invalid nonce: nonce too low 1 < 2', 'duplicateClientId'],
    ['Invalid nonce: nonce too high 2 > 1', 'duplicateClientId'],
    ['Action already expired', 'expiredRequest'],
    ['Unable to recover signer.', 'other'],
    ['Cannot set scheduled cancel time until enough volume traded. Required: $1000000. Traded: $40988.83.', 'other'],
    ['words nobody has seen', 'other'],
  ])('"%s" is %s', (words, code) => {
    expect(refusalCode(words)).toBe(code);
  });

  test('an amendment whose new order was not taken leaves the order to be asked for, whatever kept it out', () => {
    // The venue cancels first: neither the old order nor the new one stands.
    for (const why of ['Post only order would have immediately matched, bbo was 2440.1@2440.2', 'Insufficient margin to place order. asset=1', 'words nobody has seen']) {
      expect(refusalCode(`Error placing new order during modify: ${why}`)).toBe('alreadyClosed');
    }
  });
});

type Known = Extract<OrderStatusResponse, { status: 'order' }>['order']['status'];

/** Every status the SDK knows, as an order that nothing was filled of ends in it, and one that filled in part. */
const STATUSES: Readonly<Record<Known, readonly [VenueOrderStatus, VenueOrderStatus]>> = {
  open: ['open', 'open'],
  triggered: ['open', 'open'],
  filled: ['filled', 'filled'],
  canceled: ['canceled', 'canceled'],
  marginCanceled: ['canceled', 'canceled'],
  vaultWithdrawalCanceled: ['canceled', 'canceled'],
  openInterestCapCanceled: ['canceled', 'canceled'],
  selfTradeCanceled: ['canceled', 'canceled'],
  reduceOnlyCanceled: ['canceled', 'canceled'],
  siblingFilledCanceled: ['canceled', 'canceled'],
  delistedCanceled: ['canceled', 'canceled'],
  liquidatedCanceled: ['canceled', 'canceled'],
  outcomeSettledCanceled: ['canceled', 'canceled'],
  scheduledCancel: ['canceled', 'canceled'],
  internalCancel: ['canceled', 'canceled'],
  iocCancelRejected: ['canceled', 'canceled'],
  rejected: ['rejected', 'canceled'],
  tickRejected: ['rejected', 'canceled'],
  minTradeNtlRejected: ['rejected', 'canceled'],
  perpMarginRejected: ['rejected', 'canceled'],
  reduceOnlyRejected: ['rejected', 'canceled'],
  badAloPxRejected: ['rejected', 'canceled'],
  badTriggerPxRejected: ['rejected', 'canceled'],
  marketOrderNoLiquidityRejected: ['rejected', 'canceled'],
  positionIncreaseAtOpenInterestCapRejected: ['rejected', 'canceled'],
  positionFlipAtOpenInterestCapRejected: ['rejected', 'canceled'],
  tooAggressiveAtOpenInterestCapRejected: ['rejected', 'canceled'],
  openInterestIncreaseRejected: ['rejected', 'canceled'],
  insufficientSpotBalanceRejected: ['rejected', 'canceled'],
  oracleRejected: ['rejected', 'canceled'],
  perpMaxPositionRejected: ['rejected', 'canceled'],
  tooManyOpenOrdersRejected: ['rejected', 'canceled'],
};

describe('the states of an order in ours', () => {
  test.each(Object.entries(STATUSES))('%s', (status, expected) => {
    expect(['0', '0.5'].map((filled) => toStatus(status, decimal(filled)))).toEqual(expected);
  });

  test('exits that wait are open, and of a state nobody knows nothing is concluded', () => {
    expect(['waitingForFill', 'waitingForTrigger', 'somethingNew'].map((status) => toStatus(status, decimal('0')))).toEqual(['open', 'open', null]);
  });
});
