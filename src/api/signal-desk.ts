/**
 * From an alert to an order or a strategy, by the path of POST /orders and POST /strategies. An alert is recorded before it is placed,
 * under a client id that is a function of source and alert id: whoever places it, and however often, there is one order. What a process
 * left is placed by the next that looks (docs/decisions/incoming-signals.md).
 */
import type { Logger } from 'pino';
import type { z } from 'zod';
import { alertFields } from '../domain/alert-text';
import { callRateOf } from '../domain/call-rate';
import { DomainError } from '../domain/errors';
import type { BudgetRequest } from '../domain/rate-budget';
import type { ReceivedAlert, Signal, SignalEnd, SignalKind, SignalSource, SignalTemplate } from '../domain/signal';
import { filled, readAlert, templateIssues, trialValues } from '../domain/signal-template';
import { orderRequestSchema } from '../schemas/orders';
import { strategyRequestSchema } from '../schemas/strategies';
import { canonicalJson, sha256Hex } from './canonical-json';
import { isErrorCode, notFound, toDomainError } from './errors';
import type { OrderPlacement } from './order-placement';
import type { OrderPreview } from './order-preview';
import { termsOf } from './order-terms';
import type { ApiPorts } from './ports';
import { validationError } from './route';
import { addressProblem, isAllowed } from './signal-addresses';
import type { StrategyDesk } from './strategy-desk';

/** TradingView hangs up after three seconds: what is not placed by then is answered 202. */
const ANSWER_WAIT_MS = 2_000;
/** How long one process has for an alert before another looks after it: beyond the longest wait of a placement. */
export const LEASE_MS = 10_000;
/** After what may pass: a venue or Temporal that is away. */
export const RETRY_MS = 1_000;
/** Alerts that are refused unread, as from a foreign address, are listed no more often than this. */
const LISTED_UNREAD: BudgetRequest['rule'] = { capacity: 10, refillPerSecond: 1 / 6, reserve: 0 };
/** No venue may have this name. */
const SCOPE = '~signals';

export interface IncomingAlert {
  readonly token: string;
  readonly text: string;
  readonly address: string;
  readonly dryRun: boolean;
}

type Ports = Pick<ApiPorts, 'signalSources' | 'signals' | 'callerLimits' | 'orders' | 'clock'>;
/** What the orders and strategies are placed with. */
export interface SignalPlacers {
  readonly placement: OrderPlacement;
  readonly preview: OrderPreview;
  readonly strategies: StrategyDesk;
}

export class SignalDesk {
  constructor(
    private readonly ports: Ports,
    private readonly placers: SignalPlacers,
    private readonly log: Pick<Logger, 'warn'>,
  ) {}

  /** The signal as it is then: `taken`, `placed` or `dryRun`. Throws why it is refused, with details.signalId where it is listed. */
  async receive({ token, text, address, dryRun }: IncomingAlert): Promise<Signal> {
    const source = await this.ports.signalSources.byToken(token);
    if (source === null) throw notFound('signal source');
    const unread: ReceivedAlert = { source, alertId: null, alert: {}, address, request: null };
    if (source.status === 'disabled') throw await this.refusedUnread(unread, new DomainError('FORBIDDEN', 'the signal source is disabled; enable it first'));
    if (!isAllowed(source.allowedAddresses, address)) throw await this.refusedUnread(unread, new DomainError('FORBIDDEN', `alerts are not taken from ${address}; allowedAddresses lists from where`));
    await this.assertRoom(source);
    const read = alertFields(text);
    if (read.problem !== null) throw await this.refused(unread, validationError([{ path: 'body', message: read.problem }]));
    const received = { ...unread, alert: read.fields };
    const { values, issues } = readAlert(source.fields, received.alert);
    if (issues.length > 0) throw await this.refused(received, validationError(issues.map(({ path, message }) => ({ path: `body.${path}`, message }))));
    const alertId = String(filled(source.alertId, values));
    const clientId = `sig-${sha256Hex(canonicalJson([source.id, alertId])).slice(0, 32)}`;
    const asked = requestOf(source, filled(source.template, values), clientId);
    if ('issues' in asked) throw await this.refused({ ...received, alertId }, validationError(asked.issues));
    const alert = { ...received, alertId, request: asked.request, clientId };
    if (dryRun || source.mode === 'dryRun') return this.judged(alert);
    const { signal, isNew } = await this.ports.signals.take(alert, LEASE_MS);
    if (!isNew && canonicalJson(signal.alert) !== canonicalJson(alert.alert)) {
      throw await this.refused(alert, new DomainError('IDEMPOTENCY_MISMATCH', `another alert with the id ${alertId} came before`, { details: { earlierSignalId: signal.id } }));
    }
    return answered(isNew ? await this.place(signal) : signal);
  }

  /** Places what was taken. Settles it, or leaves it for later where that may help. Never throws for what concerns the order. */
  async place(signal: Signal): Promise<Signal> {
    const made = await this.reread(signal);
    if (made.state !== null) return this.settledAs(made, null);
    if (this.ports.clock.nowMs() > Date.parse(signal.placeBefore)) {
      const why = signal.message === null ? '' : `: ${signal.message}`;
      return this.ports.signals.settle(signal.id, { status: 'expired', code: 'CONFLICT', message: `it could not be placed until ${signal.placeBefore}${why}` });
    }
    const error = await this.attempt(signal).then(() => null, (reason: unknown) => toDomainError(reason, true));
    if (error?.code === 'INTERNAL') this.log.warn({ err: error.cause ?? error, signalId: signal.id }, 'a signal could not be placed');
    return this.settledAs(await this.reread(signal), error);
  }

  /** Throws VALIDATION for a source whose words cannot become a request, whatever its alerts say. */
  assertMakesSense(source: Pick<SignalSource, 'kind' | 'template' | 'fields' | 'alertId' | 'allowedAddresses'>): string {
    const issues = [
      ...templateIssues(source),
      ...(source.allowedAddresses ?? []).flatMap((text, index) => (addressProblem(text) === null ? [] : [{ path: `allowedAddresses.${index}`, message: addressProblem(text) ?? '' }])),
      ...CLIENT_IDS.filter((field) => field in source.template).map((field) => ({ path: `template.${field}`, message: 'must be absent: it is made of the alert id' })),
    ];
    if (issues.length > 0) throw validationError(issues.map(({ path, message }) => ({ path: `body.${path}`, message })));
    const tries = trialValues(source.fields).map((values) => requestOf(source, filled(source.template, values), 'sig-example'));
    const [first] = tries;
    if (first !== undefined && 'issues' in first && tries.every((each) => 'issues' in each)) throw validationError(first.issues.map(({ path, message }) => ({ path: path.replace(/^body/, 'body.template'), message })));
    return String(source.template['accountId']);
  }

  private async attempt(signal: Signal): Promise<void> {
    const { request, userId, kind, placeBefore } = signal;
    if (kind === 'strategy') {
      await this.placers.strategies.create(strategyRequestSchema.parse(request), userId, null);
      return;
    }
    const [placed] = await this.placers.placement.place({ userId, idempotency: null, timeoutMs: ANSWER_WAIT_MS, origin: 'SIGNAL', placeBefore }, [termsOf(orderRequestSchema.parse(request))]);
    if (placed?.answer instanceof DomainError) throw placed.answer;
  }

  /** By what there is now: the order or strategy itself says more than the error that making it ended with. */
  private settledAs(made: Signal, error: DomainError | null): Promise<Signal> {
    const { signals, clock } = this.ports;
    if (made.state === 'DENIED') return this.denied(made);
    if (made.state !== null) return signals.settle(made.id, { status: 'placed', code: null, message: null });
    const reason = { code: error?.code ?? null, message: error?.message ?? 'it is not recorded yet' };
    if (error === null || error.retryable || error.outcome === 'unknown') return signals.delay(made.id, reason, clock.nowMs() + RETRY_MS);
    return signals.settle(made.id, { status: 'refused', ...reason });
  }

  private async denied(made: Signal): Promise<Signal> {
    const order = made.orderId === null ? null : await this.ports.orders.byId(made.orderId, made.userId);
    return this.ports.signals.settle(made.id, { status: 'refused', code: isErrorCode(order?.reasonCode ?? null) ? (order?.reasonCode ?? null) : 'UNPROCESSABLE', message: order?.reasonMessage ?? 'the order was denied' });
  }

  private reread({ id, sourceId, userId }: Signal): Promise<Signal> {
    return this.ports.signals.get(id, sourceId, userId);
  }

  private async judged(alert: ReceivedAlert): Promise<Signal> {
    const end = await this.verdict(alert).catch((error: unknown) => {
      const { code, message } = toDomainError(error, false);
      return { code, message };
    });
    return this.ports.signals.note(alert, { status: 'dryRun', ...end });
  }

  private async verdict({ source, request }: ReceivedAlert): Promise<Pick<SignalEnd, 'code' | 'message'>> {
    if (source.kind === 'strategy') {
      await this.placers.strategies.preview(strategyRequestSchema.parse(request), source.userId);
      return { code: null, message: 'it would be placed' };
    }
    const { risk } = (await this.placers.preview.of(termsOf(orderRequestSchema.parse(request)), source.userId)) as { risk: { verdict: string; code: string | null; message: string | null } };
    return risk.verdict === 'denied' ? { code: risk.code, message: risk.message } : { code: null, message: 'it would be placed' };
  }

  private async assertRoom(source: SignalSource): Promise<void> {
    const rate = callRateOf(source.rateLimit) ?? null;
    if (rate === null) return;
    const verdict = await this.ports.callerLimits.take({ scope: `${SCOPE}/${source.id}`, rule: { capacity: rate.burst, refillPerSecond: (rate.count * 1_000) / rate.periodMs, reserve: 0 }, weight: 1, class: 'entry', caller: true });
    if (!verdict.granted) throw new DomainError('RATE_LIMITED', `the signal source takes ${source.rateLimit}; nothing was done`, { retryAfterSeconds: Math.max(1, Math.ceil(verdict.retryAfterMs / 1_000)) });
  }

  private async refused(alert: ReceivedAlert, error: DomainError): Promise<DomainError> {
    return withSignal(error, await this.ports.signals.note(alert, { status: 'refused', code: error.code, message: error.message }));
  }

  /** Before the source's own limit was asked: anybody who has seen the token may do this, and must not fill the list. */
  private async refusedUnread(alert: ReceivedAlert, error: DomainError): Promise<DomainError> {
    const verdict = await this.ports.callerLimits.take({ scope: `${SCOPE}/${alert.source.id}/unread`, rule: LISTED_UNREAD, weight: 1, class: 'entry', caller: true });
    return verdict.granted ? this.refused(alert, error) : error;
  }
}

const CLIENT_IDS = ['clientOrderId', 'clientStrategyId'] as const;
const REQUESTS: Readonly<Record<SignalKind, { readonly schema: z.ZodType<Record<string, unknown>>; readonly clientId: (typeof CLIENT_IDS)[number] }>> = {
  order: { schema: orderRequestSchema, clientId: 'clientOrderId' },
  strategy: { schema: strategyRequestSchema, clientId: 'clientStrategyId' },
};

/** The body of the route that it stands for. */
function requestOf({ kind }: Pick<SignalSource, 'kind'>, template: unknown, clientId: string): { readonly request: Readonly<Record<string, unknown>> } | { readonly issues: readonly { readonly path: string; readonly message: string }[] } {
  const { schema, clientId: field } = REQUESTS[kind];
  const parsed = schema.safeParse({ ...(template as SignalTemplate), [field]: clientId });
  if (parsed.success) return { request: parsed.data };
  return { issues: parsed.error.issues.map((issue) => ({ path: ['body', ...issue.path.map(String)].join('.'), message: issue.message })) };
}

/** Throws what a settled one was refused for: a repeat reads the same words. */
function answered(signal: Signal): Signal {
  if (signal.status !== 'refused' && signal.status !== 'expired') return signal;
  throw withSignal(new DomainError(isErrorCode(signal.code) ? signal.code : 'UNPROCESSABLE', signal.message ?? 'the signal was refused'), signal);
}

function withSignal(error: DomainError, { id, alertId, orderId }: Signal): DomainError {
  return new DomainError(error.code, error.message, { details: { ...error.details, signalId: id, alertId, orderId }, outcome: error.outcome, ...(error.retryAfterSeconds === null ? {} : { retryAfterSeconds: error.retryAfterSeconds }) });
}
