/** The first, cheap risk check of an order (docs/decisions/first-risk-check.md): no workflow is started for one that cannot pass. */
import type { Logger } from 'pino';
import type { OrderIntent } from '../domain/order';
import { isCertainlyDenied } from '../risk/first-check';
import type { Directory } from './directory';
import type { ApiPorts } from './ports';

export class FirstCheck {
  constructor(
    private readonly ports: Pick<ApiPorts, 'denials'>,
    private readonly directory: Directory,
    private readonly log: Pick<Logger, 'warn'>,
  ) {}

  /**
   * True once the intent is recorded as DENIED. The account's limits come from memory and may be old: they only raise the
   * suspicion, the placing transaction decides. When that cannot be reached, the order goes the ordinary way.
   */
  async denies(intent: OrderIntent): Promise<boolean> {
    const account = await this.directory.account(intent.accountId, intent.userId);
    if (account === null || !isCertainlyDenied(intent, account.limits)) return false;
    try {
      return await this.ports.denials.record(intent);
    } catch (error) {
      this.log.warn({ err: error, accountId: intent.accountId }, 'a denial could not be recorded; the order goes to its workflow');
      return false;
    }
  }
}
