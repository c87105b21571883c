/**
 * The client order id a venue is told. It is a function of the intent alone - account, clientOrderId, leg, child and
 * revision - and never of an attempt or of the time, so that every retry of one intent carries the same id.
 */

export interface VenueClientIdParts {
  readonly accountId: string;
  readonly clientOrderId: string;
  /** Which leg of an order list; 0 for a plain order. */
  readonly leg: number;
  /** Which child of a strategy; 0 for a plain order. */
  readonly child: number;
  /** Rises when an amendment is a cancel-and-replace; 0 for the first. */
  readonly revision: number;
}

/** Hash function from sha256 of the text to lower-case hex; given in, because the workflow sandbox has no crypto. */
export type Sha256Hex = (text: string) => string;

/** 32 hex digits (128 bits): fits Hyperliquid's cloid, Binance's and Bybit's 36 characters; adapters shorten it further. */
export function venueClientId(parts: VenueClientIdParts, sha256Hex: Sha256Hex): string {
  const text = JSON.stringify(['surefill', parts.accountId, parts.clientOrderId, parts.leg, parts.child, parts.revision]);
  return sha256Hex(text).slice(0, 32);
}

/** Names a child for ever: its parent's id (an order's, a list's, a strategy's; a UUID), which leg, and how many the leg had before. */
export interface ChildName {
  readonly parentId: string;
  readonly leg: number;
  readonly child: number;
}

/** A child's clientOrderId: `<parent id>.<leg>.<child>`, at most 64 characters. */
export function childClientOrderId({ parentId, leg, child }: ChildName): string {
  return `${parentId}.${leg}.${child}`;
}

/** A child's order id: a UUID (version 8: made by a rule of our own) that is a function of its name alone. */
export function childOrderId(name: ChildName, sha256Hex: Sha256Hex): string {
  const hex = sha256Hex(JSON.stringify(['surefill-child', name.parentId, name.leg, name.child]));
  return [hex.slice(0, 8), hex.slice(8, 12), `8${hex.slice(13, 16)}`, `8${hex.slice(17, 20)}`, hex.slice(20, 32)].join('-');
}
