/**
 * Word between the processes that an account's configuration changed, so that none goes on with what it remembers. It may
 * be lost while the bus is away: what is remembered grows old by itself then.
 */
import type { StreamEvent } from '../../domain/events';
import type { Bus } from './bus';
import { TOPIC_PREFIXES, TOPICS } from './topics';

export interface ConfigurationNews {
  /** After the change is committed. */
  tell(accountId: string, userId: string): void;
  /** Of every process, this one included. The answer ends it. */
  onTold(listener: (accountId: string, userId: string) => void): () => void;
}

export function configurationNews(bus: Pick<Bus, 'publish' | 'subscribe'>): ConfigurationNews {
  return {
    tell: (accountId, userId) => bus.publish(TOPICS.accountConfiguration(accountId), { accountId, userId }),
    onTold: (listener) =>
      bus.subscribe(TOPIC_PREFIXES.accountConfiguration, ({ accountId, userId }) => {
        if (typeof accountId === 'string' && typeof userId === 'string') listener(accountId, userId);
      }),
  };
}

/** For whoever commits: a status that a watcher, a risk check or an operator set is told like any other change of the account. */
export function tellStatusChanges(news: Pick<ConfigurationNews, 'tell'>): (events: readonly Pick<StreamEvent, 'type' | 'accountId' | 'userId'>[]) => void {
  return (events) => {
    for (const { type, accountId, userId } of events) if (type === 'account.statusChanged' && accountId !== null) news.tell(accountId, userId);
  };
}
