/**
 * Numbers that look random and are a function of the strategy's id and of what they are for: the same on every replay, on every
 * worker, and in the preview of the same id.
 */
import { Decimal, maxOf, sum } from '../decimal';

const UNIT = 2 ** 32;

/** A whole number from 0 to 2^32 - 1: FNV-1a over the text, then mixed so that neighbours differ. */
export function hash32(text: string): number {
  let hash = 0x811c9dc5;
  for (let index = 0; index < text.length; index += 1) hash = Math.imul(hash ^ text.charCodeAt(index), 0x01000193);
  hash ^= hash >>> 16;
  hash = Math.imul(hash, 0x85ebca6b);
  hash ^= hash >>> 13;
  hash = Math.imul(hash, 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}

/** From 0 to below 1, exact. */
export function fractionOf(seed: string, purpose: string, index: number): Decimal {
  return new Decimal(hash32(`${seed}/${purpose}/${index}`)).dividedBy(UNIT);
}

/**
 * As many weights, each from 1 - spread to 1 + spread (`percent` of spread), and 1 in their mean: parts by such weights are within the
 * spread of an equal part. Weights that are drawn one by one are not: their mean is anything within the spread.
 */
export function weightsAroundOne(seed: string, purpose: string, count: number, percent: number): readonly Decimal[] {
  const drawn = Array.from({ length: count }, (_, index) => fractionOf(seed, purpose, index).times(2).minus(1));
  const mean = sum(drawn).dividedBy(count);
  const centered = drawn.map((each) => each.minus(mean));
  const largest = centered.reduce((most, each) => maxOf(most, each.abs()), new Decimal(1));
  return centered.map((each) => new Decimal(1).plus(each.dividedBy(largest).times(percent).dividedBy(100)));
}

/** 1 - spread to 1 + spread, `percent` of spread. */
export function aroundOne(seed: string, purpose: string, index: number, percent: number): Decimal {
  return new Decimal(1).plus(fractionOf(seed, purpose, index).times(2).minus(1).times(percent).dividedBy(100));
}
