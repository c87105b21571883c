/**
 * Delivers what waits for one endpoint, many attempts side by side, until nothing is due: the bodies stay in PostgreSQL and pass
 * through here, never through Temporal. What is due later is left to the workflow's durable timer.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { Context } from '@temporalio/activity';
import { signedHeaders } from '../delivery/signature';
import type { GuardedClient } from '../delivery/guarded-client';
import type { Clock } from '../domain/clock';
import { isDelivered } from '../domain/delivery-schedule';
import type { AttemptEnd, AttemptOutcome } from '../domain/webhook';
import type { WebhookOutbox } from '../store/webhooks/webhook-outbox';
import type { ClaimedDelivery, DeliveryStep, EndpointState, SettledAttempt } from '../store/webhooks/webhook-rows';

export interface DeliveryRound extends EndpointState {
  readonly delivered: number;
  readonly failed: number;
  /** Until somebody should look again, ms. */
  readonly waitMs: number;
}

export interface WebhookActivities {
  deliverWebhooks(input: { readonly endpointId: string }): Promise<DeliveryRound>;
}

export interface DelivererPorts {
  readonly clock: Clock;
  readonly outbox: Pick<WebhookOutbox, 'fanOut' | 'step'>;
  readonly client: Pick<GuardedClient, 'post'>;
  /** `lost`: the master key that sealed them is. */
  secretsOf(endpointId: string): Promise<readonly string[] | 'lost'>;
  /** Settles true once an event for the endpoint was committed, false when aborted. */
  awaitNews(endpointId: string, signal: AbortSignal): Promise<boolean>;
  /** How long a round that delivered waits for more, ms; LINGER_MS. */
  readonly lingerMs?: number;
  readonly leaving: AbortSignal;
  /** Of each attempt once it is committed. */
  onEnd?(end: AttemptEnd): void;
}

/** Attempts of one endpoint under way at once: across keys; within a key there is one. */
const SIDE_BY_SIDE = 32;
/** A round that always finds work ends after this, so that its workflow sees how it goes. */
const ROUND_MS = 20_000;
/** A busy account's next event comes soon: waiting for it here costs no workflow task. */
const LINGER_MS = 1_000;
/** A hint that was lost costs at most this. */
export const LOOK_AGAIN_MS = 60_000;
/** One that is disabled is hinted when it is enabled or deleted; the same for that hint. */
const LOOK_AT_DISABLED_MS = 3_600_000;
/** A claim that was not used within this (the process was stopped) is given up: its successor may be at it by the time it would end. */
const START_WITHIN_MS = 4_000;
const HEARTBEAT_MS = 1_000;
/** What was taken while PostgreSQL is away is kept here for so long, a round and its last attempts before it inside the activity's minute. */
const WRITE_WITHIN_MS = 20_000;
/** Between tries: a connection that broke is made anew at once, a restart takes seconds. */
const WRITE_AGAIN_MS = 250;

export function createWebhookActivities(ports: DelivererPorts): WebhookActivities {
  return {
    deliverWebhooks: async ({ endpointId }) => {
      const context = Context.current();
      const beat = (): void => context.heartbeat();
      const timer = setInterval(beat, HEARTBEAT_MS);
      beat();
      try {
        return await deliverRound(ports, endpointId, AbortSignal.any([context.cancellationSignal, ports.leaving]));
      } finally {
        clearInterval(timer);
      }
    },
  };
}

/** One round; ends early when aborted: attempts under way are then cut and due again at once. */
export async function deliverRound(ports: DelivererPorts, endpointId: string, signal: AbortSignal): Promise<DeliveryRound> {
  const round = new Round(ports, endpointId, signal);
  return round.run();
}

class Round {
  private readonly startedAtMs = performance.now();
  private readonly underWay = new Set<Promise<void>>();
  private settled: SettledAttempt[] = [];
  private delivered = 0;
  private failed = 0;
  /** Events may be in the outbox that have no deliveries yet. */
  private unread = true;
  private waiting: Promise<void> | null = null;
  private readonly over = new AbortController();

  constructor(
    private readonly ports: DelivererPorts,
    private readonly endpointId: string,
    private readonly signal: AbortSignal,
  ) {}

  async run(): Promise<DeliveryRound> {
    try {
      return await this.loop();
    } catch (error) {
      await this.writeDelivered();
      throw error;
    } finally {
      this.over.abort();
    }
  }

  /**
   * The round failed, not its attempts: what a receiver took is written, or it would be sent to it again. Written twice it changes nothing,
   * which is not so of a failure: such a claim runs out, and the attempt is made again.
   */
  private async writeDelivered(): Promise<void> {
    await Promise.all(this.underWay);
    const delivered = this.settled.filter(({ outcome }) => isDelivered(outcome));
    const giveUpAtMs = performance.now() + WRITE_WITHIN_MS;
    while (delivered.length > 0) {
      try {
        const { ends } = await this.ports.outbox.step(this.endpointId, delivered, { wanted: 0, inFlight: 0 });
        for (const end of ends) this.ports.onEnd?.(end);
        return;
      } catch {
        // What made the round fail is thrown by it; where this goes on for longer, they are sent again.
        if (this.signal.aborted || performance.now() > giveUpAtMs) return;
        await delay(WRITE_AGAIN_MS);
      }
    }
  }

  private async loop(): Promise<DeliveryRound> {
    for (;;) {
      const over = this.signal.aborted || performance.now() - this.startedAtMs > ROUND_MS;
      if (this.unread && !over) this.unread = (await this.ports.outbox.fanOut(this.endpointId)).more;
      const step = await this.step(over ? 0 : SIDE_BY_SIDE - this.underWay.size);
      for (const end of step.ends) this.ports.onEnd?.(end);
      if (step.claims.length > 0) await this.start(step.claims, step.url);
      if (this.underWay.size > 0) {
        // Whatever ends first frees its place, and what ends with it is written with it.
        await Promise.race([...this.underWay, ...(over ? [] : [this.news()])]);
        continue;
      }
      // Ended while the step was under way: to be written by the next one.
      if (this.settled.length > 0) continue;
      const dueInMs = step.nextDueAtMs === null ? null : Math.max(0, step.nextDueAtMs - this.ports.clock.nowMs());
      if (over) return this.result(step, 0);
      if (step.state !== 'enabled') return this.result(step, LOOK_AT_DISABLED_MS);
      if (this.unread || dueInMs === 0) continue;
      if (this.delivered > 0) await this.linger(Math.min(this.ports.lingerMs ?? LINGER_MS, dueInMs ?? LINGER_MS));
      if (!this.unread) return this.result(step, Math.min(dueInMs ?? LOOK_AGAIN_MS, LOOK_AGAIN_MS));
    }
  }

  private async step(wanted: number): Promise<DeliveryStep> {
    const settled = this.settled;
    this.settled = [];
    try {
      return await this.ports.outbox.step(this.endpointId, settled, { wanted, inFlight: this.underWay.size });
    } catch (error) {
      this.settled.unshift(...settled);
      throw error;
    }
  }

  /** Settles once something was committed for the endpoint, or the round is over; one of them waits at a time. */
  private news(): Promise<void> {
    this.waiting ??= this.ports.awaitNews(this.endpointId, AbortSignal.any([this.signal, this.over.signal])).then((heard) => {
      this.waiting = null;
      if (heard) this.unread = true;
    });
    return this.waiting;
  }

  private async linger(forMs: number): Promise<void> {
    const enough = new AbortController();
    const timer = setTimeout(() => enough.abort(), forMs);
    await Promise.race([this.news(), new Promise<void>((resolve) => enough.signal.addEventListener('abort', () => resolve(), { once: true }))]);
    clearTimeout(timer);
  }

  private result({ state, url, waiting, breakerOpenUntil, disabledReason }: DeliveryStep, waitMs: number): DeliveryRound {
    return { state, url, waiting, breakerOpenUntil, disabledReason, delivered: this.delivered, failed: this.failed, waitMs };
  }

  private async start(claims: readonly ClaimedDelivery[], url: string): Promise<void> {
    const claimedAtMs = performance.now();
    const secrets = await this.ports.secretsOf(this.endpointId);
    for (const claim of claims) {
      const attempt: Promise<void> = this.attempt(claim, url, secrets, claimedAtMs).then((outcome) => {
        this.settled.push({ id: claim.id, number: claim.number, outcome });
        if (outcome.errorClass === null) this.delivered += 1;
        else this.failed += 1;
        this.underWay.delete(attempt);
      });
      this.underWay.add(attempt);
    }
  }

  private async attempt({ id, eventType, body }: ClaimedDelivery, url: string, secrets: readonly string[] | 'lost', claimedAtMs: number): Promise<AttemptOutcome> {
    // Nothing leaves unsigned: the endpoint is disabled, and it waits.
    if (secrets === 'lost') return { code: null, latencyMs: 0, errorClass: 'secretLost', answer: null, retryAfterMs: null };
    // Deleted since it was claimed, its secrets with it: what is due next says so.
    if (secrets.length === 0 || performance.now() - claimedAtMs > START_WITHIN_MS) return { code: null, latencyMs: 0, errorClass: 'interrupted', answer: null, retryAfterMs: null };
    const nowMs = (): number => this.ports.clock.nowMs();
    return this.ports.client.post({ url, headers: signedHeaders({ id, eventType, body, atMs: nowMs(), secrets }), body, nowMs, signal: this.signal });
  }
}
