/** Names of what the processes tell each other. One place, so that a publisher and its subscribers cannot differ. */

/** What a topic may be made of. No glob characters: Redis would read them as patterns. */
const TOPIC = /^[a-z]+(\/[A-Za-z0-9._:@-]+)*$/;
/** A venue's name, an address or a symbol, each at most 64 characters. */
const MAX_TOPIC_LENGTH = 200;

/** Kinds whose newest value a late joiner is given at once; the others are moments that pass. */
const RETAINED_KINDS: ReadonlySet<string> = new Set(['price', 'book', 'feed', 'ban']);

export const TOPICS = {
  /** A PriceMessage: the newest ticker of one market. */
  price: (venue: string, symbol: string): string => `price/${venue}/${symbol}`,
  /** A BookMessage: the best levels of one market. */
  book: (venue: string, symbol: string): string => `book/${venue}/${symbol}`,
  /** A TradesMessage: public trades of one market, as they come. */
  trades: (venue: string, symbol: string): string => `trades/${venue}/${symbol}`,
  /** A FeedMessage: whether a venue's market data arrives. */
  feed: (venue: string): string => `feed/${venue}`,
  /** A BanMessage: the venue of this budget's scope told us to stay away. */
  ban: (scope: string): string => `ban/${scope}`,
  /** An AccountWakeMessage: whoever watches the account should look at it now. */
  accountWake: (accountId: string): string => `control/account/${accountId}`,
  /** `{accountId, userId}`: what is remembered of the account's configuration is old. */
  accountConfiguration: (accountId: string): string => `control/configuration/${accountId}`,
} as const;

/** Prefixes to subscribe to: all topics below them. */
export const TOPIC_PREFIXES = { price: 'price/', book: 'book/', trades: 'trades/', feed: 'feed/', ban: 'ban/', accountWake: 'control/account/', accountConfiguration: 'control/configuration/' } as const;

export function isTopic(text: string): boolean {
  return text.length <= MAX_TOPIC_LENGTH && TOPIC.test(text);
}

/** A prefix ends with a slash and covers every topic below it. */
export function isPrefix(text: string): boolean {
  return text.endsWith('/') && isTopic(text.slice(0, -1));
}

/** Throws RangeError: a wrong topic is a mistake of ours. */
export function checkTopic(text: string): void {
  if (!isTopic(text)) throw new RangeError(`not a topic: ${JSON.stringify(text.slice(0, 80))}`);
}

export function checkTopicOrPrefix(text: string): void {
  if (!isTopic(text) && !isPrefix(text)) throw new RangeError(`not a topic or prefix: ${JSON.stringify(text.slice(0, 80))}`);
}

export function isRetained(topic: string): boolean {
  return RETAINED_KINDS.has(topic.split('/', 1)[0] ?? '');
}

/** Whether what was subscribed to covers the topic. */
export function covers(topicOrPrefix: string, topic: string): boolean {
  return topicOrPrefix.endsWith('/') ? topic.startsWith(topicOrPrefix) : topic === topicOrPrefix;
}
