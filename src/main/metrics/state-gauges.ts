/** Gauges that PostgreSQL answers when they are asked for. Served by the API, so that one process tells of all. */
import { Gauge, type Registry } from 'prom-client';
import { METRIC_NAMES } from './names';

export interface StateGaugePorts {
  unknownOrders(): Promise<ReadonlyMap<string, number>>;
  positionsValueUsd(): Promise<ReadonlyMap<string, number>>;
  /** The longest that an open position has had no stop that covers it, ms; 0 where each has one. */
  unprotectedMs(): Promise<ReadonlyMap<string, number>>;
  /** Age of what waits longest for an enabled webhook, s; 0 where nothing does. */
  oldestWebhookSeconds(): Promise<number>;
  /** Of every state, those of none too. */
  depositsByState(): Promise<ReadonlyMap<string, number>>;
  /** By the chain's name, s; 0 where what arrives is counted. */
  chainStalledSeconds(): Promise<ReadonlyMap<string, number>>;
  /** Sockets of clients that are open. */
  connections(): number;
  onTrouble(error: unknown): void;
}

export function registerStateGauges(registry: Registry, ports: StateGaugePorts): void {
  by('venue', METRIC_NAMES.ordersUnknown, 'Orders whose outcome at the venue is unknown: look into any that stays for a minute.', () => ports.unknownOrders());
  by('venue', METRIC_NAMES.positionsValue, 'Open positions at their mark price, longs and shorts added up; markets quoted in dollars.', () => ports.positionsValueUsd());
  by('venue', METRIC_NAMES.positionsUnprotected, 'The longest that an open position has had no stop that covers it, ms.', () => ports.unprotectedMs());
  by('state', METRIC_NAMES.depositsByState, 'Deposits in each state: look into those in MANUAL_REVIEW and PARTIAL_REVIEW.', () => ports.depositsByState());
  by('chain', METRIC_NAMES.chainStalledSeconds, 'How long the endpoints of a chain where deposits arrive have kept them from being counted: they do not answer, or contradict each other.', () => ports.chainStalledSeconds());
  new Gauge({
    name: METRIC_NAMES.socketConnections,
    help: 'Clients connected to the Socket.io stream of this process.',
    registers: [registry],
    collect() {
      this.set(ports.connections());
    },
  });

  new Gauge({
    name: METRIC_NAMES.webhookOldest,
    help: 'Age of what waits longest for an enabled webhook: a delivery, or an event that has none yet.',
    registers: [registry],
    async collect() {
      try {
        this.set(await ports.oldestWebhookSeconds());
      } catch (error) {
        this.remove();
        ports.onTrouble(error);
      }
    },
  });

  /** A database that is away takes its own gauges off the page, and no other figure. */
  function by(label: 'venue' | 'state' | 'chain', name: string, help: string, read: () => Promise<ReadonlyMap<string, number>>): void {
    new Gauge({
      name,
      help,
      labelNames: [label],
      registers: [registry],
      async collect() {
        this.reset();
        try {
          for (const [of, value] of await read()) this.set({ [label]: of }, value);
        } catch (error) {
          ports.onTrouble(error);
        }
      },
    });
  }
}
