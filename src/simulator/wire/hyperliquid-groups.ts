/**
 * Orders that hang together at the simulated Hyperliquid. normalTpsl: exits wait for their entry to fill; positionTpsl: exits of
 * the whole position as it is when they fire. In both the first exit that fills ends the others. What the core keeps of it
 * (OrderLinks) is in its journal, so that a restart forgets nothing.
 */
import type { Account } from '../account';
import type { Order, OrderLinks } from '../order';
import type { PaperVenue } from '../paper-venue';

const ALONE: OrderLinks = { group: null, waitsFor: null, wholePosition: false };

export type Grouping = 'na' | 'normalTpsl' | 'positionTpsl';

/** Links of one order of a list: `entry` is the list's first order where it is an entry that was accepted. */
export function linksOf(grouping: Grouping, index: number, entry: Order | null, position: string): OrderLinks {
  if (grouping === 'positionTpsl') return { group: position, waitsFor: null, wholePosition: true };
  if (grouping === 'na' || index === 0 || entry === null) return ALONE;
  return { group: `entry ${entry.orderId}`, waitsFor: entry.status === 'open' ? entry.orderId : null, wholePosition: false };
}

/** Links that an order keeps when another takes its place. */
export function keptLinks({ group, waitsFor, wholePosition }: Order): OrderLinks {
  return { group, waitsFor, wholePosition };
}

/** An exit that waits for its entry: shown inside it and by no other read, and told of when it lives. */
export function isParked({ status, waitsFor }: Order): boolean {
  return status === 'open' && waitsFor !== null;
}

/** Does what follows from what just changed; true when anything did. */
export function followGroups(venue: PaperVenue, changed: Iterable<Order>): boolean {
  let acted = false;
  for (const order of changed) {
    const account = venue.exchange.state.account(order.account);
    if (order.status !== 'open') acted = releaseChildren(venue, account, order) || acted;
    if (order.group !== null && order.filled.greaterThan(0)) acted = endSiblings(venue, account, order) || acted;
  }
  return acted;
}

/** An entry that its owner canceled takes its exits with it; one that filled, or that the venue ended with something filled, wakes them. */
function releaseChildren(venue: PaperVenue, account: Account, entry: Order): boolean {
  const children = [...account.open].filter(({ waitsFor }) => waitsFor === entry.orderId);
  const lives = entry.status === 'filled' || (entry.filled.greaterThan(0) && entry.cancelReason !== 'REQUESTED');
  for (const child of children) {
    if (child.status !== 'open') continue;
    if (lives) venue.exchange.wake(account, child, venue.clock.now());
    else venue.exchange.cancel(account, { orderId: child.orderId }, venue.clock.now());
  }
  return children.length > 0;
}

function endSiblings(venue: PaperVenue, account: Account, filled: Order): boolean {
  const siblings = [...account.open].filter((order) => order !== filled && order.group === filled.group && order.symbol === filled.symbol);
  for (const sibling of siblings) {
    if (sibling.status === 'open') venue.exchange.cancel(account, { orderId: sibling.orderId }, venue.clock.now(), 'SIBLING_FILLED');
  }
  return siblings.length > 0;
}
