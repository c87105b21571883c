/** A new account is answered once its venue's balance is known, so that its first order is judged by it. */
import type { Logger } from 'pino';
import type { Account } from '../domain/account';
import { accountStream } from '../domain/events';
import { FIRST_BALANCE_WAIT_MS } from './limits';
import type { ApiPorts } from './ports';

/** The rows are read besides, because a notice may be lost. */
const POLL_INTERVAL_MS = 500;

/** Starts what watches the account and waits for its first balance, at most FIRST_BALANCE_WAIT_MS. Rejects when it cannot be started. */
export async function firstBalance(ports: Pick<ApiPorts, 'accounts' | 'tail' | 'balances'>, account: Account, log: Pick<Logger, 'warn'>): Promise<void> {
  let arrived: () => void = () => undefined;
  const balance = new Promise<void>((resolve) => {
    arrived = resolve;
  });
  const unfollow = ports.tail.follow(accountStream(account.id), (event) => {
    if (event.type === 'balance.updated') arrived();
  });
  const look = (): void => {
    ports.balances.list(account.id, account.userId).then(
      (rows) => (rows.length > 0 ? arrived() : undefined),
      (error: unknown) => log.warn({ err: error, accountId: account.id }, 'balances of a new account could not be read'),
    );
  };
  let poll: NodeJS.Timeout | undefined;
  let limit: NodeJS.Timeout | undefined;
  try {
    await ports.accounts.started(account);
    poll = setInterval(look, POLL_INTERVAL_MS);
    limit = setTimeout(arrived, FIRST_BALANCE_WAIT_MS);
    look();
    await balance;
  } finally {
    unfollow();
    clearInterval(poll);
    clearTimeout(limit);
  }
}
