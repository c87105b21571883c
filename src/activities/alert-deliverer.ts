/** Sends what a channel has to carry, one message after the other, until nothing is due. What is due later is left to the workflow's timer. */
import { Context } from '@temporalio/activity';
import type { Mailer } from '../delivery/mail';
import type { Telegram } from '../delivery/telegram';
import type { SendOutcome } from '../domain/alert-delivery';
import type { Clock } from '../domain/clock';
import { CODE_PLACE } from '../store/alerts/alert-channels';
import type { ChannelStep, ClaimedMessage, SettledMessage } from '../store/alerts/alert-outbox';
import type { ChannelSecrets } from '../store/alerts/alert-secrets';
import { beating } from './beating';

export interface ChannelRound {
  /** `idle`: nothing waits there; `waiting`: for its time. */
  readonly state: 'idle' | 'waiting' | 'disabled' | 'deleted';
  readonly name: string;
  readonly disabledReason: string | null;
  readonly waiting: number;
  readonly delivered: number;
  readonly failed: number;
  /** Until somebody should look again, ms. */
  readonly waitMs: number;
}

export interface AlertDeliveryActivities {
  deliverAlerts(input: { readonly channelId: string }): Promise<ChannelRound>;
}

export interface AlertDelivererPorts {
  readonly clock: Clock;
  readonly outbox: { step(channelId: string, settled: SettledMessage | null, claim: boolean): Promise<ChannelStep> };
  /** `lost`: the master key that sealed them is. */
  secretsOf(channelId: string): Promise<ChannelSecrets | 'lost'>;
  readonly telegram: Pick<Telegram, 'send'>;
  /** null: this server sends no e-mail. */
  readonly mailer: Pick<Mailer, 'send'> | null;
  readonly leaving: AbortSignal;
  /** Of each attempt once it is committed. */
  onEnd?(end: SendOutcome['kind']): void;
}

/** A round that always finds work ends after this, so that its workflow sees how it goes. */
const ROUND_MS = 20_000;
/** No hint ends this wait unless it comes: one that was lost costs at most this. */
const LONGEST_WAIT_MS = 3_600_000;

const NO_SECRETS: ChannelSecrets = { botToken: null, code: null };

export function createAlertDeliveryActivities(ports: AlertDelivererPorts): AlertDeliveryActivities {
  return {
    deliverAlerts: ({ channelId }) => beating(() => channelRound(ports, channelId, AbortSignal.any([Context.current().cancellationSignal, ports.leaving]))),
  };
}

/** Ends early when aborted: the attempt under way is then cut and due again at once. */
export async function channelRound(ports: AlertDelivererPorts, channelId: string, signal: AbortSignal): Promise<ChannelRound> {
  const startedAtMs = performance.now();
  const counts = { delivered: 0, failed: 0 };
  let settled: SettledMessage | null = null;
  for (;;) {
    const over = signal.aborted || performance.now() - startedAtMs > ROUND_MS;
    const step: ChannelStep = await ports.outbox.step(channelId, settled, !over);
    if (settled !== null) ports.onEnd?.(settled.outcome.kind);
    if (step.claimed === null) return ended(step, counts, over ? 0 : ports.clock.nowMs());
    const outcome = await send(ports, channelId, step.claimed, signal);
    if (outcome.kind === 'delivered') counts.delivered += 1;
    else counts.failed += 1;
    settled = { id: step.claimed.id, attempt: step.claimed.attempt, outcome };
  }
}

function ended({ state, name, disabledReason, waiting, nextDueAtMs }: ChannelStep, counts: { readonly delivered: number; readonly failed: number }, nowMs: number): ChannelRound {
  const said = { name, disabledReason, waiting, ...counts };
  if (state === 'deleted' || state === 'disabled') return { ...said, state, waitMs: 0 };
  if (nextDueAtMs === null) return { ...said, state: 'idle', waitMs: 0 };
  return { ...said, state: 'waiting', waitMs: nowMs === 0 ? 0 : Math.min(LONGEST_WAIT_MS, Math.max(0, nextDueAtMs - nowMs)) };
}

async function send({ clock, telegram, mailer, ...ports }: AlertDelivererPorts, channelId: string, message: ClaimedMessage, signal: AbortSignal): Promise<SendOutcome> {
  // An address has no secret but the code that is sent there.
  const secrets = message.channelKind === 'telegram' || message.kind === 'verification' ? await ports.secretsOf(channelId) : NO_SECRETS;
  if (secrets === 'lost') return { kind: 'disable', reason: 'unauthorized', message: message.channelKind === 'telegram' ? 'the master key that sealed its bot token is lost: give it the token anew' : 'the master key that sealed its code is lost: ask for another' };
  const { botToken, code } = secrets;
  const body = message.kind === 'verification' ? message.body.replace(CODE_PLACE, code ?? '') : message.body;
  if (message.channelKind === 'telegram') {
    if (botToken === null) return { kind: 'disable', reason: 'unauthorized', message: 'it has no bot token' };
    return telegram.send({ botToken, chatId: message.target, text: body, nowMs: () => clock.nowMs(), signal });
  }
  if (mailer === null) return { kind: 'retry', message: 'this server sends no e-mail: its operator sets SUREFILL_SMTP_URL' };
  return mailer.send({ id: message.id, to: message.target, subject: message.subject, text: body, at: new Date(message.createdAt), signal });
}
