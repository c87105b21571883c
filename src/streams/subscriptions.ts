/** Who listens to what inside one process. */
import { reasonOf, type BusListener, type JsonObject, type OnBusReport } from './bus/bus';
import { checkTopicOrPrefix } from './bus/topics';

interface Subscriber {
  readonly name: string;
  readonly listener: BusListener;
}

/** Newest values fetched for late joiners. What was heard live since it began is newer, and is not told again. */
export interface CatchUp {
  give(topic: string, text: string): void;
  end(): void;
}

export class Subscriptions {
  private readonly subscribers = new Map<string, Set<Subscriber>>();
  private readonly heardSince = new Set<Set<string>>();

  constructor(private readonly onReport: OnBusReport) {}

  /** `catchUp` is this listener's own. `remove` answers true when nobody in this process listens to the name any more. */
  add(name: string, listener: BusListener): { readonly catchUp: CatchUp; readonly remove: () => boolean } {
    checkTopicOrPrefix(name);
    const subscriber: Subscriber = { name, listener };
    const subscribers = this.subscribers.get(name) ?? new Set<Subscriber>();
    this.subscribers.set(name, subscribers.add(subscriber));
    const catchUp = this.catchUp(() => (subscribers.has(subscriber) ? [subscriber] : []));
    const remove = (): boolean => {
      catchUp.end();
      if (!subscribers.delete(subscriber) || subscribers.size > 0) return false;
      this.subscribers.delete(name);
      return true;
    };
    return { catchUp, remove };
  }

  /** For everyone who listens to the name: after a reconnect. */
  catchUpAll(name: string): CatchUp {
    return this.catchUp(() => [...(this.subscribers.get(name) ?? [])]);
  }

  private catchUp(listeners: () => readonly Subscriber[]): CatchUp {
    const heard = new Set<string>();
    this.heardSince.add(heard);
    return {
      give: (topic, text) => {
        const message = heard.has(topic) ? null : this.parse(topic, text);
        if (message) for (const subscriber of listeners()) this.tell(subscriber, message, topic);
      },
      end: () => void this.heardSince.delete(heard),
    };
  }

  names(): string[] {
    return [...this.subscribers.keys()];
  }

  /** Hands a message to everyone in this process who subscribed to its topic or to a prefix of it. */
  deliver(topic: string, text: string): void {
    this.deliverTo(namesCovering(topic), topic, text);
  }

  /** The same for some of the names only, where each name brings its own copy. */
  deliverTo(names: readonly string[], topic: string, text: string): void {
    for (const heard of this.heardSince) heard.add(topic);
    const listeners = names.flatMap((name) => [...(this.subscribers.get(name) ?? [])]);
    const message = listeners.length === 0 ? null : this.parse(topic, text);
    if (message) for (const subscriber of listeners) this.tell(subscriber, message, topic);
  }

  private tell(subscriber: Subscriber, message: JsonObject, topic: string): void {
    try {
      subscriber.listener(message, topic);
    } catch (error) {
      this.onReport({ kind: 'listenerFailed', topic, reason: reasonOf(error) });
    }
  }

  private parse(topic: string, text: string): JsonObject | null {
    try {
      const message: unknown = JSON.parse(text);
      if (typeof message === 'object' && message !== null && !Array.isArray(message)) return message as JsonObject;
      throw new TypeError('not a JSON object');
    } catch (error) {
      this.onReport({ kind: 'unreadable', topic, reason: reasonOf(error) });
      return null;
    }
  }
}

/** `price/paper/BTC` is covered by itself, `price/paper/` and `price/`. */
function namesCovering(topic: string): string[] {
  const names = [topic];
  for (let slash = topic.lastIndexOf('/'); slash > 0; slash = topic.lastIndexOf('/', slash - 1)) names.push(topic.slice(0, slash + 1));
  return names;
}
