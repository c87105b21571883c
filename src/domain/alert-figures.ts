/** Rules that look at figures rather than at events: prices by triggers, liquidation and loss by marks. Pure and exact. */
import type { AlertFact, AlertParameters, AlertRule } from './alert';
import { decimal, decimalText, type Decimal } from './decimal';
import type { TriggerEvidence, TriggerParameters } from './trigger';

type PriceRule = Extract<AlertRule, { kind: 'price' }>;
const HUNDRED = decimal('100');
const TEN_THOUSAND = decimal('10000');
/** A figure that swings around its level is one alert: it counts as left only when it is a tenth of the level away from it. */
const LEAVES_AT = decimal('1.1');

/**
 * What the trigger of a step waits for: even steps for the level itself, which is an alert; odd ones for the way back to the other side,
 * which arms the next.
 */
export function priceTriggerOf({ direction, price, priceType, rearmBps }: AlertParameters['price'], step: number): TriggerParameters {
  const isLevel = step % 2 === 0;
  const away = decimal(price).times(rearmBps).dividedBy(TEN_THOUSAND);
  const back = direction === 'atOrAbove' ? decimal(price).minus(away) : decimal(price).plus(away);
  return {
    kind: 'level', priceType, gapPolicy: 'traded', trailingOffset: null, trailingOffsetType: null, activationPrice: null,
    direction: isLevel ? direction : direction === 'atOrAbove' ? 'atOrBelow' : 'atOrAbove',
    triggerPrice: decimalText(isLevel ? price : back),
  };
}

/** What firing comes to: the next step, null where the rule has done its work; and what is told of it. */
export function afterFiring(rule: PriceRule, step: number, evidence: TriggerEvidence): { readonly next: number | null; readonly fact: AlertFact | null } {
  if (step % 2 === 1) return { next: step + 1, fact: null };
  const { venue, symbol, direction, price, priceType, repeats } = rule.parameters;
  const origin = evidence.origin === 'stream' ? '' : ', found in what was traded while nobody watched';
  return {
    next: repeats ? step + 1 : null,
    fact: {
      subject: `price/${venue}/${symbol}`,
      title: `${symbol} is ${direction === 'atOrAbove' ? 'at or above' : 'at or below'} ${price}`,
      body: `The ${priceType} price at ${venue} was ${evidence.price}${origin}.`,
      accountId: null,
      symbol,
      data: { venue, price, direction, evidence },
    },
  };
}

/** A position that can be liquidated, and its mark. */
export interface MarkedPosition {
  readonly accountId: string;
  readonly accountName: string;
  readonly venue: string;
  readonly symbol: string;
  /** Signed. */
  readonly quantity: string;
  readonly markPrice: string;
  readonly liquidationPrice: string;
}

/** How far the mark is from liquidation, in percent of the mark; zero or below: it is there. */
export function liquidationDistance({ quantity, markPrice, liquidationPrice }: Pick<MarkedPosition, 'quantity' | 'markPrice' | 'liquidationPrice'>): Decimal {
  const mark = decimal(markPrice);
  const room = decimal(quantity).isNegative() ? decimal(liquidationPrice).minus(mark) : mark.minus(decimal(liquidationPrice));
  return room.times(HUNDRED).dividedBy(mark);
}

/** Whether it is near now, given whether it was. */
export function isNear(wasNear: boolean, distance: Decimal, percent: string): boolean {
  const level = decimal(percent);
  return distance.lessThanOrEqualTo(wasNear ? level.times(LEAVES_AT) : level);
}

/** What crossing the level is told as. */
export function liquidationFact(position: MarkedPosition, percent: string): AlertFact {
  const { accountId, accountName, venue, symbol, markPrice, liquidationPrice, quantity } = position;
  const distance = decimalText(liquidationDistance(position).toDecimalPlaces(2));
  return {
    subject: `liquidation/${accountId}/${symbol}`,
    title: `${symbol} is ${distance} % from liquidation`,
    body: `Account ${accountName} at ${venue} holds ${quantity}: mark ${markPrice}, liquidation at ${liquidationPrice}. You asked to be told at ${percent} %.`,
    accountId,
    symbol,
    data: { distancePercent: distance, markPrice, liquidationPrice, quantity },
  };
}

/** What a day has lost, of an account. */
export interface DayLoss {
  readonly accountId: string;
  readonly accountName: string;
  /** YYYY-MM-DD, UTC. */
  readonly day: string;
  /** null: a price of what is held is missing. */
  readonly dailyProfit: string | null;
}

/** The day is in the subject: one alert a day. null: not lost so much. */
export function lossFact({ accountId, accountName, day, dailyProfit }: DayLoss, amount: string): AlertFact | null {
  if (dailyProfit === null) return null;
  const lost = decimal(dailyProfit).negated();
  if (lost.lessThan(decimal(amount))) return null;
  return {
    subject: `loss/${accountId}/${day}`,
    title: `Account ${accountName} has lost ${decimalText(lost)} today`,
    body: `Since 00:00 UTC, open positions at their mark. You asked to be told at ${amount}.`,
    accountId,
    symbol: null,
    data: { day, dailyProfit, amount },
  };
}
