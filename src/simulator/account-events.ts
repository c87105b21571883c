/** What each account is told of a step: its orders, fills and funding, then what its positions and balances came to. */
import { type Account, balanceView, positionView } from './account';
import type { Changes, ExchangeState } from './exchange-state';
import { fundingView } from './funding';
import { liquidationPrice } from './maintenance';
import { type Fill, type Order, fillView, orderView } from './order';

export interface AccountEvent {
  readonly account: Account;
  readonly event: unknown;
}

/** In the order they are sent; what is `hidden` is left out. */
export function accountEvents(state: ExchangeState, changes: Changes, hidden: (order: Order) => boolean): AccountEvent[] {
  const events: AccountEvent[] = [];
  const accountOf = (item: Order | Fill): Account => state.account(item.account);
  for (const order of changes.orders) {
    state.touch(accountOf(order));
    if (!hidden(order)) events.push({ account: accountOf(order), event: { kind: 'order', order: orderView(order) } });
  }
  for (const fill of changes.fills) {
    const order = state.orders.get(fill.orderId);
    if (order !== undefined && hidden(order)) continue;
    events.push({ account: accountOf(fill), event: { kind: 'fill', fill: fillView(fill) } });
  }
  for (const payment of changes.fundings) events.push({ account: state.account(payment.account), event: { kind: 'funding', funding: fundingView(payment) } });
  for (const [account, touched] of changes.accounts) {
    for (const symbol of touched.symbols) {
      const holding = account.holdings.get(symbol);
      if (holding !== undefined) events.push({ account, event: { kind: 'position', position: positionView(holding, state.markOf, liquidationPrice(account, holding, state.markOf)) } });
    }
    for (const asset of touched.assets) events.push({ account, event: { kind: 'balance', balance: balanceView(account, asset, state.markOf) } });
  }
  return events;
}
