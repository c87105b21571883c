/** What one amendment asks for, as a name: who asks for the same again is told what became of the first, whoever asks for other terms is not. */
import type { HeldTerms } from './evidence';
import type { Sha256Hex } from './client-ids';

export type AskedTerms = { readonly [field in keyof HeldTerms]?: HeldTerms[field] | null };

/** 32 hex digits of the terms that are asked for, in whatever order they come; null and absent are both: as it is. Decimals are canonical. */
export function termsName(terms: AskedTerms, sha256Hex: Sha256Hex): string {
  return sha256Hex(canonicalTerms(terms)).slice(0, 32);
}

export function sameTerms(one: AskedTerms, other: AskedTerms): boolean {
  return canonicalTerms(one) === canonicalTerms(other);
}

function canonicalTerms({ limitPrice = null, quantity = null, triggerPrice = null, trailingOffset = null, activationPrice = null }: AskedTerms): string {
  return JSON.stringify([limitPrice, quantity, triggerPrice, trailingOffset, activationPrice]);
}
