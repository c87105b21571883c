/** Margin and liquidation, ten cases each, reckoned by hand (the formula beside each figure) and compared to 1e-8. */
import { describe, expect, test } from '@jest/globals';
import { ZERO, decimal } from '../../../src/domain/decimal';
import { type Step, apply, figure, liquidationPriceOf, work } from './worked-case';

interface MarginCase {
  readonly what: string;
  readonly deposit: string;
  readonly steps: readonly Step[];
  readonly used: string;
  readonly available: string;
}

const MARGIN: readonly MarginCase[] = [
  {
    what: 'a long at ten times',
    deposit: '10000',
    steps: [['take', 'BTC-PERP', 'buy', ['97000', '0.5']], ['mark', 'BTC-PERP', '97000']],
    // 0.5*97000/10
    used: '4850.00000000',
    // 10000-0.5*97000*0.00055-0.5*97000/10
    available: '5123.32500000',
  },
  {
    what: 'a long at fifty times, in profit',
    deposit: '10000',
    steps: [['leverage', 'BTC-PERP', 50], ['take', 'BTC-PERP', 'buy', ['97000', '0.5']], ['mark', 'BTC-PERP', '97350.5']],
    // 0.5*97000/50
    used: '970.00000000',
    // 10000-0.5*97000*0.00055+0.5*350.5-0.5*97000/50
    available: '9178.57500000',
  },
  {
    what: 'a short at seven times, in loss',
    deposit: '1000',
    steps: [['leverage', 'XRP-PERP', 7], ['take', 'XRP-PERP', 'sell', ['1.9531', '1234.5']], ['mark', 'XRP-PERP', '2.0107']],
    // 1234.5*1.9531/7
    used: '344.44313571',
    // 1000-1234.5*1.9531*0.00055-1234.5*(2.0107-1.9531)-1234.5*1.9531/7
    available: '583.12355821',
  },
  {
    what: 'a long bought at two prices, at three times',
    deposit: '1000',
    steps: [['leverage', 'XRP-PERP', 3], ['take', 'XRP-PERP', 'buy', ['1.95', '100'], ['1.9731', '250']], ['mark', 'XRP-PERP', '1.98']],
    // (100*1.95+250*1.9731)/3
    used: '229.42500000',
    // 1000-(100*1.95+250*1.9731)*0.00055+350*1.98-(100*1.95+250*1.9731)-(100*1.95+250*1.9731)/3
    available: '774.92144875',
  },
  {
    what: 'a long and a bid below it',
    deposit: '1000',
    steps: [['take', 'XRP-PERP', 'buy', ['2', '300']], ['mark', 'XRP-PERP', '2'], ['rest', 'XRP-PERP', 'buy', '200', '1.5']],
    // (300*2+200*1.5)/10
    used: '90.00000000',
    // 1000-600*0.00055-(300*2+200*1.5)/10
    available: '909.67000000',
  },
  {
    what: 'a long and an offer that only reduces it',
    deposit: '1000',
    steps: [['take', 'XRP-PERP', 'buy', ['2', '300']], ['mark', 'XRP-PERP', '2'], ['rest', 'XRP-PERP', 'sell', '200', '3']],
    // 300*2/10
    used: '60.00000000',
    // 1000-600*0.00055-300*2/10
    available: '939.67000000',
  },
  {
    what: 'a long and an offer that would turn it',
    deposit: '1000',
    steps: [['take', 'XRP-PERP', 'buy', ['2', '300']], ['mark', 'XRP-PERP', '2'], ['rest', 'XRP-PERP', 'sell', '900', '3']],
    // (900-300)*3/10
    used: '180.00000000',
    // 1000-600*0.00055-(900-300)*3/10
    available: '819.67000000',
  },
  {
    what: 'no position, a bid and a larger offer',
    deposit: '1000',
    steps: [['mark', 'XRP-PERP', '2'], ['rest', 'XRP-PERP', 'buy', '200', '1.9'], ['rest', 'XRP-PERP', 'sell', '300', '2.1']],
    // 300*2.1/10
    used: '63.00000000',
    // 1000-300*2.1/10
    available: '937.00000000',
  },
  {
    what: 'two markets, each at its own leverage',
    deposit: '2000',
    steps: [['leverage', 'BTC-PERP', 20], ['leverage', 'SOL-PERP', 6], ['take', 'BTC-PERP', 'buy', ['97000', '0.1']], ['take', 'SOL-PERP', 'sell', ['235.37', '12.5']], ['mark', 'BTC-PERP', '97000'], ['mark', 'SOL-PERP', '235.37']],
    // 0.1*97000/20+12.5*235.37/6
    used: '975.35416667',
    // 2000-(0.1*97000+12.5*235.37)*0.00055-0.1*97000/20-12.5*235.37/6
    available: '1017.69266458',
  },
  {
    what: 'a long of which a third was sold with profit, at nine times',
    deposit: '1000',
    steps: [['leverage', 'XRP-PERP', 9], ['take', 'XRP-PERP', 'buy', ['2', '1000']], ['take', 'XRP-PERP', 'sell', ['2.2', '337']], ['mark', 'XRP-PERP', '2.2']],
    // 663*2/9
    used: '147.33333333',
    // 1000+337*0.2-(1000*2+337*2.2)*0.00055+663*0.2-663*2/9
    available: '1051.15889667',
  },
];

describe('margin', () => {
  test.each(MARGIN)('$what', ({ deposit, steps, used, available }) => {
    const { exchange, account } = work(['USDC', deposit], steps);
    expect([figure(account.usedMargin()), figure(account.available('USDC', exchange.state.markOf))]).toEqual([used, available]);
  });
});

interface LiquidationCase {
  readonly what: string;
  readonly deposit: string;
  readonly steps: readonly Step[];
  readonly symbol: string;
  /** Null: no price liquidates it. */
  readonly price: string | null;
  /** A mark at or beyond it, and the balance once the book took the position there. */
  readonly mark: string;
  readonly balance: string;
}

const LIQUIDATION: readonly LiquidationCase[] = [
  {
    what: 'a long at ten times',
    deposit: '5000',
    steps: [['take', 'BTC-PERP', 'buy', ['97000', '0.5']]],
    symbol: 'BTC-PERP',
    // (0.5*97000-(5000-0.5*97000*0.00055))/(0.5*(1-0.01))
    price: '87932.67676768',
    mark: '87900',
    // 5000-0.5*97000*0.00055-0.5*(97000-87900)-0.5*87900*0.00055
    balance: '399.15250000',
  },
  {
    what: 'the short against it',
    deposit: '5000',
    steps: [['take', 'BTC-PERP', 'sell', ['97000', '0.5']]],
    symbol: 'BTC-PERP',
    // (0.5*97000+(5000-0.5*97000*0.00055))/(0.5*(1+0.01))
    price: '105887.77227723',
    mark: '105900',
    // 5000-0.5*97000*0.00055-0.5*(105900-97000)-0.5*105900*0.00055
    balance: '494.20250000',
  },
  {
    what: 'a long at twenty times',
    deposit: '20',
    steps: [['leverage', 'XRP-PERP', 20], ['take', 'XRP-PERP', 'buy', ['2', '100']]],
    symbol: 'XRP-PERP',
    // (100*2-(20-100*2*0.00055))/(100*(1-0.025))
    price: '1.84728205',
    mark: '1.8472',
    // 20-200*0.00055-100*(2-1.8472)-100*1.8472*0.00055
    balance: '4.50840400',
  },
  {
    what: 'a short of an odd size',
    deposit: '300',
    steps: [['take', 'XRP-PERP', 'sell', ['1.9531', '1234.5']]],
    symbol: 'XRP-PERP',
    // (1234.5*1.9531+(300-1234.5*1.9531*0.00055))/(1234.5*(1+0.025))
    price: '2.14150162',
    mark: '2.15',
    // 300-1234.5*1.9531*0.00055-1234.5*(2.15-1.9531)-1234.5*2.15*0.00055
    balance: '54.14104768',
  },
  {
    what: 'a long bought at two prices',
    deposit: '100',
    steps: [['take', 'XRP-PERP', 'buy', ['1.95', '100'], ['1.9731', '250']]],
    symbol: 'XRP-PERP',
    // ((100*1.95+250*1.9731)-(100-(100*1.95+250*1.9731)*0.00055))/(350*(1-0.025))
    price: '1.72499209',
    mark: '1.72',
    // 100-(100*1.95+250*1.9731)*0.00055+350*1.72-(100*1.95+250*1.9731)-350*1.72*0.00055
    balance: '13.01534875',
  },
  {
    what: 'what is left of a long after a part was sold with profit',
    deposit: '250',
    steps: [['take', 'XRP-PERP', 'buy', ['2', '1000']], ['take', 'XRP-PERP', 'sell', ['2.2', '337']]],
    symbol: 'XRP-PERP',
    // (663*2-(250+337*0.2-(2000+337*2.2)*0.00055))/(663*(1-0.025))
    price: '1.56260629',
    mark: '1.55',
    // 250+337*0.2-(2000+337*2.2)*0.00055-663*(2-1.55)-663*1.55*0.00055
    balance: '16.97702250',
  },
  {
    what: 'a long that was turned into a short',
    deposit: '60',
    steps: [['take', 'XRP-PERP', 'buy', ['2', '100']], ['take', 'XRP-PERP', 'sell', ['2.1', '300']]],
    symbol: 'XRP-PERP',
    // (200*2.1+(60+100*0.1-(200+630)*0.00055))/(200*(1+0.025))
    price: '2.38801707',
    mark: '2.4',
    // 60+100*0.1-(200+630)*0.00055-200*(2.4-2.1)-200*2.4*0.00055
    balance: '9.27950000',
  },
  {
    what: 'a long beside a losing short, which takes of the same collateral',
    deposit: '450',
    steps: [['take', 'XRP-PERP', 'buy', ['2', '1000']], ['take', 'SOL-PERP', 'sell', ['235', '5']], ['mark', 'XRP-PERP', '2'], ['mark', 'SOL-PERP', '240']],
    symbol: 'XRP-PERP',
    // (1000*2-(450-(2000+5*235)*0.00055-5*(240-235)-5*240*0.025))/(1000*(1-0.025))
    price: '1.64794487',
    mark: '1.64',
    // 450-(2000+5*235)*0.00055-1000*(2-1.64)-1000*1.64*0.00055
    balance: '87.35175000',
  },
  {
    what: 'a long that has paid funding',
    deposit: '5000',
    steps: [['take', 'BTC-PERP', 'buy', ['97000', '0.5']], ['mark', 'BTC-PERP', '97000'], ['after', 28800000]],
    symbol: 'BTC-PERP',
    // (0.5*97000-(5000-0.5*97000*0.00055-0.5*97000*0.0001))/(0.5*(1-0.01))
    price: '87942.47474747',
    mark: '87900',
    // 5000-0.5*97000*0.00055-0.5*97000*0.0001-0.5*(97000-87900)-0.5*87900*0.00055
    balance: '394.30250000',
  },
  {
    what: 'a long that its collateral pays for whole',
    deposit: '1000',
    steps: [['take', 'XRP-PERP', 'buy', ['2', '100']]],
    symbol: 'XRP-PERP',
    price: null,
    mark: '0.01',
    // 1000-200*0.00055
    balance: '999.89000000',
  },
];

describe('liquidation', () => {
  test.each(LIQUIDATION)('$what', ({ deposit, steps, symbol, price, mark, balance }) => {
    const worked = work(['USDC', deposit], steps);
    const { exchange, account } = worked;
    const liquidated = liquidationPriceOf(worked, symbol);
    expect(liquidated === null ? null : figure(liquidated)).toBe(price);
    const { tickSize } = exchange.state.venue(symbol).market;
    const position = account.position(symbol);
    if (liquidated !== null) {
      // The last tick on the safe side of the price leaves the account alone.
      const safe = position.isPositive() ? liquidated.dividedBy(tickSize).floor().plus(1) : liquidated.dividedBy(tickSize).ceil().minus(1);
      apply(worked, ['mark', symbol, safe.times(tickSize).toFixed()]);
      expect(account.position(symbol).toFixed()).toBe(position.toFixed());
    }
    apply(worked, ['mark', symbol, mark]);
    expect(account.position(symbol).toFixed()).toBe((price === null ? position : ZERO).toFixed());
    expect(figure(account.balance('USDC'))).toBe(balance);
    expect(decimal(balance).greaterThanOrEqualTo(0)).toBe(true);
  });
});
