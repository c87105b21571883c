/**
 * What operators can filter by in the Web UI. Never encrypted, so never a secret. Keyword lists, because one workflow
 * may carry the orders of several accounts and markets. temporal/search-attributes.json registers the same names.
 */
import { defineSearchAttributeKey, SearchAttributeType, type SearchAttributePair } from '@temporalio/common';

export const ACCOUNT_ID = defineSearchAttributeKey('AccountId', SearchAttributeType.KEYWORD_LIST);
export const VENUE = defineSearchAttributeKey('Venue', SearchAttributeType.KEYWORD);
export const MARKET = defineSearchAttributeKey('Market', SearchAttributeType.KEYWORD_LIST);
export const ORDER_STATE = defineSearchAttributeKey('OrderState', SearchAttributeType.KEYWORD);
export const ORDER_KIND = defineSearchAttributeKey('OrderKind', SearchAttributeType.KEYWORD);
export const CLIENT_ORDER_IDS = defineSearchAttributeKey('ClientOrderIds', SearchAttributeType.KEYWORD_LIST);

/** The server refuses a longer list (a foreign server may keep 2,048 bytes): the rest is left to PostgreSQL. */
export const KEYWORD_LIST_LIMIT_BYTES = 1_800;

/** As many words as fit into the limit, from the first; each once. */
export function fittingKeywords(words: readonly string[]): string[] {
  const fitting: string[] = [];
  let bytes = 2;
  for (const word of new Set(words)) {
    bytes += word.length + 3; // ids and symbols are ASCII by their schemas
    if (bytes > KEYWORD_LIST_LIMIT_BYTES) break;
    fitting.push(word);
  }
  return fitting;
}

export interface OrderAttributes {
  readonly accountIds: readonly string[];
  readonly venue: string;
  readonly symbols: readonly string[];
  readonly kind: 'place' | 'amend' | 'cancel' | 'conditional';
  readonly clientOrderIds: readonly string[];
}

export function orderSearchAttributes(attributes: OrderAttributes): SearchAttributePair[] {
  return [
    { key: ACCOUNT_ID, value: fittingKeywords(attributes.accountIds) },
    { key: VENUE, value: attributes.venue },
    { key: MARKET, value: fittingKeywords(attributes.symbols) },
    { key: ORDER_KIND, value: attributes.kind },
    { key: CLIENT_ORDER_IDS, value: fittingKeywords(attributes.clientOrderIds) },
  ];
}
