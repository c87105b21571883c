/** Funding and fees, ten cases each, reckoned by hand (the formula beside each figure) and compared to 1e-8. */
import { describe, expect, test } from '@jest/globals';
import { decimal } from '../../../src/domain/decimal';
import { type Step, figure, work } from './worked-case';

interface FundingCase {
  readonly what: string;
  readonly steps: readonly Step[];
  /** What each payment changed the balance by. */
  readonly amounts: readonly string[];
}

const DEPOSIT = '100000';

const FUNDING: readonly FundingCase[] = [
  {
    what: 'a long at a positive rate',
    steps: [['take', 'BTC-PERP', 'buy', ['97000', '0.5']], ['mark', 'BTC-PERP', '97000'], ['after', 28800000]],
    // -0.5*97000*0.0001
    amounts: ['-4.85000000'],
  },
  {
    what: 'the short against it',
    steps: [['take', 'BTC-PERP', 'sell', ['97000', '0.5']], ['mark', 'BTC-PERP', '97000'], ['after', 28800000]],
    // 0.5*97000*0.0001
    amounts: ['4.85000000'],
  },
  {
    what: 'a long at a negative rate',
    steps: [['fundingRate', 'XRP-PERP', '-0.000375'], ['take', 'XRP-PERP', 'buy', ['1.95', '1234.5']], ['mark', 'XRP-PERP', '1.9532'], ['after', 28800000]],
    // 1234.5*1.9532*0.000375
    amounts: ['0.90420952'],
  },
  {
    what: 'a rate of zero',
    steps: [['fundingRate', 'XRP-PERP', '0'], ['take', 'XRP-PERP', 'buy', ['1.95', '100']], ['mark', 'XRP-PERP', '1.95'], ['after', 28800000]],
    amounts: [],
  },
  {
    what: 'a mark between bid and ask',
    steps: [['take', 'XRP-PERP', 'buy', ['1.9534', '100']], ['mark', 'XRP-PERP', '1.9531', '1.9534'], ['after', 28800000]],
    // -100*(1.9531+1.9534)/2*0.0001
    amounts: ['-0.01953250'],
  },
  {
    what: 'a clock that jumps over three funding times',
    steps: [['take', 'XRP-PERP', 'sell', ['2.1', '777.7']], ['mark', 'XRP-PERP', '2.1357'], ['after', 86400000]],
    // 777.7*2.1357*0.0001
    amounts: ['0.16609339', '0.16609339', '0.16609339'],
  },
  {
    what: 'an hourly period',
    steps: [['fundingRate', 'XRP-PERP', '0.0000125', 3600000], ['take', 'XRP-PERP', 'buy', ['2', '1000.1']], ['mark', 'XRP-PERP', '2.0001'], ['after', 7200000]],
    // -1000.1*2.0001*0.0000125
    amounts: ['-0.02500375', '-0.02500375'],
  },
  {
    what: 'two markets',
    steps: [['take', 'BTC-PERP', 'buy', ['97000', '0.0123']], ['take', 'SOL-PERP', 'sell', ['235', '7.77']], ['mark', 'BTC-PERP', '97123.4'], ['mark', 'SOL-PERP', '236.01'], ['after', 28800000]],
    // -0.0123*97123.4*0.0001; 7.77*236.01*0.0001
    amounts: ['-0.11946178', '0.18337977'],
  },
  {
    what: 'a position that grows between two funding times',
    steps: [['take', 'XRP-PERP', 'buy', ['2', '100']], ['mark', 'XRP-PERP', '2'], ['after', 28800000], ['take', 'XRP-PERP', 'buy', ['2', '50']], ['mark', 'XRP-PERP', '2.02'], ['after', 57600000]],
    // -100*2*0.0001; -150*2.02*0.0001
    amounts: ['-0.02000000', '-0.03030000'],
  },
  {
    what: 'a long that was turned into a short',
    steps: [['take', 'XRP-PERP', 'buy', ['2', '100']], ['take', 'XRP-PERP', 'sell', ['2.1', '300']], ['mark', 'XRP-PERP', '2.1'], ['after', 28800000]],
    // 200*2.1*0.0001
    amounts: ['0.04200000'],
  },
];

describe('funding', () => {
  test.each(FUNDING)('$what', ({ steps, amounts }) => {
    const { account } = work(['USDC', DEPOSIT], steps);
    expect(account.fundingPayments.map(({ amount }) => figure(amount))).toEqual(amounts);
    // The balance is the deposit, the profits, the fees and these payments, and nothing else.
    const traded = account.fills.reduce((total, { fee, realizedPnl }) => total.plus(realizedPnl).minus(fee), decimal(DEPOSIT));
    expect(figure(account.balance('USDC').minus(traded))).toBe(figure(account.fundingPayments.reduce((total, { amount }) => total.plus(amount), decimal('0'))));
  });
});

interface FeeCase {
  readonly what: string;
  readonly asset: string;
  readonly steps: readonly Step[];
  /** Of each fill, in order. */
  readonly fees: readonly string[];
  /** What the balance of the asset changed by in all. */
  readonly change: string;
}

const FEES: readonly FeeCase[] = [
  {
    what: 'a perpetual taken',
    asset: 'USDC',
    steps: [['take', 'BTC-PERP', 'buy', ['97000', '0.5']]],
    // 0.5*97000*0.00055
    fees: ['26.67500000'],
    // -0.5*97000*0.00055
    change: '-26.67500000',
  },
  {
    what: 'a perpetual made',
    asset: 'USDC',
    steps: [['mark', 'BTC-PERP', '97000'], ['make', 'BTC-PERP', 'buy', '0.5', '96000.1', '100']],
    // 0.5*96000.1*0.0002
    fees: ['9.60001000'],
    // -0.5*96000.1*0.0002
    change: '-9.60001000',
  },
  {
    what: 'three levels walked',
    asset: 'USDC',
    steps: [['take', 'XRP-PERP', 'buy', ['1.9534', '8415'], ['1.9535', '100.5'], ['1.9544', '0.1']]],
    // 8415*1.9534*0.00055; 100.5*1.9535*0.00055; 0.1*1.9544*0.00055
    fees: ['9.04082355', '0.10797971', '0.00010749'],
    // -(8415*1.9534+100.5*1.9535+0.1*1.9544)*0.00055
    change: '-9.14891075',
  },
  {
    what: 'a bid filled in part',
    asset: 'USDC',
    steps: [['mark', 'XRP-PERP', '2'], ['make', 'XRP-PERP', 'buy', '100', '1.9999', '33.3']],
    // 33.3*1.9999*0.0002
    fees: ['0.01331933'],
    // -33.3*1.9999*0.0002
    change: '-0.01331933',
  },
  {
    what: 'in and out, taken both ways',
    asset: 'USDC',
    steps: [['take', 'XRP-PERP', 'buy', ['2', '100']], ['take', 'XRP-PERP', 'sell', ['2.1', '100']]],
    // 100*2*0.00055; 100*2.1*0.00055
    fees: ['0.11000000', '0.11550000'],
    // 100*0.1-(200+210)*0.00055
    change: '9.77450000',
  },
  {
    what: 'taken in, made out',
    asset: 'USDC',
    steps: [['take', 'XRP-PERP', 'sell', ['2', '100']], ['make', 'XRP-PERP', 'buy', '100', '1.9', '100']],
    // 100*2*0.00055; 100*1.9*0.0002
    fees: ['0.11000000', '0.03800000'],
    // 100*0.1-200*0.00055-190*0.0002
    change: '9.85200000',
  },
  {
    what: 'a turn through zero, charged on the whole',
    asset: 'USDC',
    steps: [['take', 'XRP-PERP', 'buy', ['2', '100']], ['take', 'XRP-PERP', 'sell', ['2.1', '300']]],
    // 100*2*0.00055; 300*2.1*0.00055
    fees: ['0.11000000', '0.34650000'],
    // 100*0.1-(200+630)*0.00055
    change: '9.54350000',
  },
  {
    what: 'spot taken, in the quote asset',
    asset: 'USDT',
    steps: [['take', 'BTC-USDT', 'buy', ['97000.01', '0.12345']]],
    // 0.12345*97000.01*0.001
    fees: ['11.97465123'],
    // -0.12345*97000.01*1.001
    change: '-11986.62588573',
  },
  {
    what: 'spot made, in the quote asset',
    asset: 'USDT',
    steps: [['mark', 'BTC-USDT', '97000'], ['make', 'BTC-USDT', 'buy', '0.5', '96000', '0.25']],
    // 0.25*96000*0.001
    fees: ['24.00000000'],
    // -0.25*96000*1.001
    change: '-24024.00000000',
  },
  {
    what: 'spot quoted in ETH',
    asset: 'ETH',
    steps: [['take', 'XRP-ETH', 'buy', ['0.00141342', '1234']]],
    // 1234*0.00141342*0.001
    fees: ['0.00174416'],
    // -1234*0.00141342*1.001
    change: '-1.74590444',
  },
];

describe('fees', () => {
  test.each(FEES)('$what', ({ asset, steps, fees, change }) => {
    const { account } = work([asset, DEPOSIT], steps);
    expect(account.fills.map(({ fee, feeAsset }) => [figure(fee), feeAsset])).toEqual(fees.map((fee) => [fee, asset]));
    expect(figure(account.balance(asset).minus(DEPOSIT))).toBe(change);
  });
});
