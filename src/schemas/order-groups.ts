/** Orders that go to the venue as one group, at the boundary: what makes a group of a list. */
import { z } from 'zod';
import { decimal } from '../domain/decimal';
import { ORDER_GROUPINGS, type OrderGrouping } from '../domain/order';

export const orderGroupingSchema = z.enum(ORDER_GROUPINGS);

/** What of each order the rules look at. */
export interface GroupedRequest {
  readonly accountId: string;
  readonly symbol: string;
  readonly side: 'buy' | 'sell';
  readonly type: string;
  readonly quantity: string;
  readonly reduceOnly?: boolean | undefined;
  readonly execution?: string | undefined;
  readonly startAt?: string | undefined;
  readonly expireTime?: string | undefined;
}

interface GroupIssue {
  readonly path: readonly (string | number)[];
  readonly message: string;
}

const STOPS: ReadonlySet<string> = new Set(['stopMarket', 'stopLimit']);
const PROFITS: ReadonlySet<string> = new Set(['takeProfitMarket', 'takeProfitLimit']);

/** What is wrong with a list as a group, by the field it is about; nothing where it is no group. */
export function groupIssues({ orders, grouping }: { readonly orders: readonly GroupedRequest[]; readonly grouping?: OrderGrouping | undefined }): readonly GroupIssue[] {
  const [first] = orders;
  if (grouping === undefined || first === undefined) return [];
  const issues: GroupIssue[] = [];
  const issue = (index: number, field: keyof GroupedRequest, message: string): void => void issues.push({ path: ['orders', index, field], message });
  orders.forEach((order, index) => {
    if (order.accountId !== first.accountId) issue(index, 'accountId', 'must be the same in all orders of a group');
    if (order.symbol !== first.symbol) issue(index, 'symbol', 'must be the same in all orders of a group');
  });
  const offset = grouping === 'entryWithExits' ? 1 : 0;
  if (grouping === 'entryWithExits') {
    if (first.type !== 'market' && first.type !== 'limit') issue(0, 'type', 'must be market or limit: the first order of entryWithExits is the entry');
    if (first.reduceOnly === true) issue(0, 'reduceOnly', 'must be false: the first order of entryWithExits is the entry');
    if (first.startAt !== undefined) issue(0, 'startAt', 'must be absent in a group: the venue has it at once');
  }
  const exits = orders.slice(offset);
  if (exits.length === 0) issues.push({ path: ['orders'], message: 'must hold a stop or a take-profit after the entry' });
  exits.forEach((exit, place) => {
    const index = place + offset;
    if (!STOPS.has(exit.type) && !PROFITS.has(exit.type)) issue(index, 'type', 'must be a stop or a take-profit: it is an exit of the group');
    if (exit.reduceOnly !== true) issue(index, 'reduceOnly', 'must be true: it is an exit of the group');
    if (exit.execution !== 'native') issue(index, 'execution', 'must be native: the venue keeps the group');
    if (exit.expireTime !== undefined) issue(index, 'expireTime', 'must be absent in a group');
    if (grouping === 'entryWithExits' && exit.side === first.side) issue(index, 'side', 'must be opposite to that of the entry');
    if (grouping === 'entryWithExits' && decimal(exit.quantity).greaterThan(first.quantity)) issue(index, 'quantity', 'must not be above that of the entry');
    if (grouping === 'positionExits' && exit.side !== first.side) issue(index, 'side', 'must be the same in all exits of a position');
  });
  for (const [kinds, name] of [[STOPS, 'stop'], [PROFITS, 'take-profit']] as const) {
    if (exits.filter(({ type }) => kinds.has(type)).length > 1) issues.push({ path: ['orders'], message: `must hold at most one ${name}` });
  }
  return issues;
}
