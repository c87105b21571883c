/**
 * Whether what is asked for now is what was asked for under the same client id: of orders, order lists and strategies. Each names how
 * every term of it is compared in a table that the compiler wants whole, so that a new term cannot be forgotten.
 */
import { isPlainDecimal, sameDecimal } from '../domain/decimal';
import { canonicalJson } from './canonical-json';

/** `amendable`: an amendment changes the term itself, so what was asked for first decides where the row differs. */
export type Comparison = 'fixed' | 'amendable';
export type Compared<Field extends string = string> = Readonly<Record<Field, Comparison>>;
type Terms = Readonly<Record<string, unknown>>;

/** The names of the terms that differ, in the table's order. `firstOf`: the terms before any amendment; null: nobody knows them any more. */
export async function differing(compared: Compared, asked: Terms, made: Terms, firstOf: () => Promise<Terms | null>): Promise<string[]> {
  const differs = Object.keys(compared).filter((field) => !isSame(asked[field], made[field]));
  if (!differs.some((field) => compared[field] === 'amendable')) return differs;
  const first = await firstOf();
  return differs.filter((field) => compared[field] === 'fixed' || first === null || !isSame(asked[field], first[field]));
}

/** Absent is null; a decimal is what it is worth; the database keeps objects with their keys in an order of its own. */
function isSame(asked: unknown, made: unknown): boolean {
  const [a, b] = [asked ?? null, made ?? null];
  if (typeof a === 'string' && typeof b === 'string' && isPlainDecimal(a) && isPlainDecimal(b)) return sameDecimal(a, b);
  return canonicalJson(a) === canonicalJson(b);
}
