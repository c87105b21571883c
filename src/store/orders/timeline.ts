/** The timeline of an order: PostgreSQL alone, so that it is there with Temporal stopped. Oldest first in every list. */
import type { KeyProvider } from '../../domain/key-provider';
import type { Order } from '../../domain/order';
import type { Timeline, TimelineAttempt, TimelineEvidence } from '../../domain/timeline';
import { openRequest } from './attempt-builder';
import { plainRow } from '../database/columns';
import type { StoreCore } from '../core';
import type { SealedText } from '../keys/envelope';
import type { Events } from '../events';
import { orderOf, ORDER_SELECT } from '../database/locks';
import { mutationOf, mutationsOf } from './mutation-rows';
import { fillOf, FILL_SELECT } from '../money/portfolio';

/** Names inside signed bytes whose values stay out of sight, wherever they stand. */
const SECRET_NAME = /signature|secret|api[-_]?key|private|passphrase|token|^key$|^sig$|^[rsv]$/i;
const HIDDEN = '[hidden]';

interface AttemptRow extends Omit<TimelineAttempt, 'request'> {
  readonly keyId: string;
  readonly wrappedKey: string;
  readonly data: string | null;
}

/** null when the order does not exist or is another user's. */
export async function timelineOf(core: StoreCore, events: Events, orderId: string, userId: string): Promise<Timeline | null> {
  const [row] = await core.database.rows(`SELECT ${ORDER_SELECT}, o.place_before AS "placeBefore", o.risk_figures AS "riskFigures" FROM orders o WHERE o.id = $1 AND o.user_id = $2`, orderId, userId);
  if (row === undefined) return null;
  const order = orderOf(row);
  const { placeBefore, riskFigures } = plainRow(row) as unknown as { placeBefore: string | null; riskFigures: Timeline['risk'] };
  const [attempts, evidence, mutations, told, fills] = await Promise.all([
    attemptsOf(core, orderId),
    evidenceOf(core, orderId),
    mutationsOf(core.database, orderId),
    events.ofOrder(orderId),
    core.database.rows(`SELECT ${FILL_SELECT} FROM fills f WHERE f.order_id = $1 ORDER BY f.at, f.id`, orderId),
  ]);
  return {
    order,
    intent: order.origin === 'EXTERNAL' ? null : intentOf(order, told[0]?.data['order'] as Order | undefined, placeBefore),
    risk: riskFigures,
    attempts,
    evidence,
    mutations: mutations.map((mutation) => {
      const { id, kind, state, revision, limitPrice, quantity, reasonCode, createdAt } = mutationOf(mutation);
      return { id, kind, state, revision, limitPrice, quantity, reasonCode, createdAt };
    }),
    events: [...told],
    fills: fills.map(fillOf),
  };
}

/** The first event holds the terms that were asked for; amendments came later. */
function intentOf(order: Order, first: Order | undefined, placeBefore: string | null): NonNullable<Timeline['intent']> {
  const { symbol, side, type, timeInForce, quantity, limitPrice, postOnly, reduceOnly } = first ?? order;
  return { symbol, side, type, timeInForce, quantity, limitPrice, postOnly, reduceOnly, placeBefore };
}

async function attemptsOf(core: StoreCore, orderId: string): Promise<TimelineAttempt[]> {
  const rows = await core.database.rows(
    `SELECT t.id, t.kind, t.prepared_at AS "preparedAt", t.taken_at AS "sentAt", t.reported_at AS "reportedAt", t.fence, coalesce(t.outcome, CASE WHEN t.superseded_at IS NOT NULL THEN 'superseded' END) AS outcome,
            t.latency_ms AS "latencyMs", t.venue_time_ms::float8 AS "venueTimeMs", t.raw_answer AS answer, t.key_id AS "keyId", encode(t.wrapped_key, 'base64') AS "wrappedKey", encode(t.data, 'base64') AS data
       FROM attempts t JOIN attempt_orders m ON m.attempt_id = t.id WHERE m.order_id = $1 ORDER BY t.prepared_at, t.id`,
    orderId,
  );
  return Promise.all(
    rows.map(async (row) => {
      const { keyId, wrappedKey, data, ...shown } = plainRow(row) as unknown as AttemptRow;
      return { ...shown, request: data === null ? null : await requestText(core.keys, shown.id, { keyId, wrappedKey, data }) };
    }),
  );
}

async function requestText(keys: KeyProvider, attemptId: string, sealed: SealedText): Promise<string | null> {
  const request = await openRequest(keys, attemptId, sealed);
  return request === null ? null : withoutSecrets(request.bytes);
}

/** A request's bytes with every signature and key hidden: JSON and query strings by name; anything else only by its size. */
export function withoutSecrets(bytes: string): string {
  try {
    return JSON.stringify(JSON.parse(bytes), (name, value: unknown) => (SECRET_NAME.test(name) ? HIDDEN : typeof value === 'string' ? withoutSecretText(value) : value));
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    return withoutSecretText(bytes) === bytes && !bytes.includes('=') ? `${bytes.length} signed bytes` : withoutSecretText(bytes);
  }
}

/** `a=1&signature=…` inside a value, or JSON inside JSON. */
function withoutSecretText(text: string): string {
  if (/^\s*[{[]/.test(text)) {
    try {
      return JSON.stringify(JSON.parse(text), (name, value: unknown) => (SECRET_NAME.test(name) ? HIDDEN : value));
    } catch (error) {
      if (!(error instanceof SyntaxError)) throw error;
    }
  }
  return text.replace(/(^|[?&])([^=&?]+)=([^&]*)/g, (whole, before: string, name: string) => (SECRET_NAME.test(name) ? `${before}${name}=${HIDDEN}` : whole));
}

async function evidenceOf(core: StoreCore, orderId: string): Promise<TimelineEvidence[]> {
  const rows = await core.database.rows('SELECT key, kind, at, data FROM order_evidence WHERE order_id = $1 ORDER BY recorded_at, at, key', orderId);
  return rows.map((row) => plainRow(row) as unknown as TimelineEvidence);
}
