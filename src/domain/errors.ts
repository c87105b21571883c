/**
 * Every error a caller can meet, on one page. The code is at once the HTTP body's code, the Temporal failure type and
 * the metric label. `outcome` tells a caller whether a retry is safe.
 */

export type ErrorOutcome = 'none' | 'unknown' | 'applied';

interface CatalogueEntry {
  readonly status: number;
  readonly retryable: boolean;
  /** What to do, in one sentence. */
  readonly advice: string;
}

export const ERROR_CATALOGUE = {
  VALIDATION: { status: 400, retryable: false, advice: 'Correct the fields named in details.' },
  UNPROCESSABLE: { status: 422, retryable: false, advice: 'Use one of the nearest valid values in details.' },
  UNAUTHENTICATED: { status: 401, retryable: false, advice: 'Send a valid API key as "Authorization: Bearer <key>".' },
  FORBIDDEN: { status: 403, retryable: false, advice: 'Use a key whose scopes allow this call.' },
  NOT_FOUND: { status: 404, retryable: false, advice: 'Check the id; it does not exist or is not yours.' },
  METHOD_NOT_ALLOWED: { status: 405, retryable: false, advice: 'Use one of the methods in the Allow header.' },
  CONFLICT: { status: 409, retryable: false, advice: 'Read the current state and decide again.' },
  PRECONDITION_FAILED: { status: 412, retryable: false, advice: 'Read the order again and send its current revision as If-Match.' },
  PAYLOAD_TOO_LARGE: { status: 413, retryable: false, advice: 'Send a smaller body.' },
  PRECONDITION_REQUIRED: { status: 428, retryable: false, advice: 'Send If-Match with the revision you saw.' },
  RATE_LIMITED: { status: 429, retryable: true, advice: 'Wait for Retry-After and send the same request again.' },
  IDEMPOTENCY_MISMATCH: { status: 422, retryable: false, advice: 'Use a new Idempotency-Key for another body.' },
  RISK_SYMBOL_NOT_ALLOWED: { status: 422, retryable: false, advice: 'Trade a symbol on the account\'s allow-list.' },
  RISK_ORDER_NOTIONAL: { status: 422, retryable: false, advice: 'Lower the quantity or raise the limit.' },
  RISK_POSITION_NOTIONAL: { status: 422, retryable: false, advice: 'Lower the quantity, reduce the position or raise the limit.' },
  RISK_OPEN_ORDERS: { status: 422, retryable: false, advice: 'Cancel orders or raise the limit.' },
  RISK_DAILY_LOSS: { status: 422, retryable: false, advice: 'Only orders that reduce are taken until the next day.' },
  RISK_DRAWDOWN: { status: 422, retryable: false, advice: 'Only orders that reduce are taken: your accounts are HALTED until you set them to ACTIVE.' },
  RISK_PRICE_BAND: { status: 422, retryable: false, advice: 'Use a price nearer to the mark, or widen the band.' },
  RISK_LIMITS_TOO_WIDE: { status: 422, retryable: false, advice: 'Keep the account\'s limits within the user\'s, or widen those first.' },
  RISK_ACCOUNT_REDUCING: { status: 422, retryable: false, advice: 'Only orders that reduce are taken while the account is REDUCING.' },
  RISK_ACCOUNT_HALTED: { status: 422, retryable: false, advice: 'Only cancels and reduce-only exits are taken while the account is HALTED.' },
  RISK_PRICE_UNKNOWN: { status: 422, retryable: true, advice: 'No fresh price to judge by; try again. A buy may use a limit order where nothing is held and no price band is set.' },
  RISK_NOTHING_TO_REDUCE: { status: 422, retryable: false, advice: 'There is no position on the other side to reduce.' },
  INSUFFICIENT_BALANCE: { status: 422, retryable: false, advice: 'Add funds, cancel orders or lower the quantity.' },
  SLIPPAGE_EXCEEDED: { status: 422, retryable: false, advice: 'Raise the slippage limit or lower the quantity.' },
  VENUE_REJECTED: { status: 422, retryable: false, advice: 'Read the venue\'s words in details.' },
  VENUE_UNAVAILABLE: { status: 503, retryable: true, advice: 'The venue cannot be reached; nothing was sent. Try again.' },
  VENUE_TIMEOUT: { status: 504, retryable: true, advice: 'The venue did not answer this read in time. Try again.' },
  SERVICE_UNAVAILABLE: { status: 503, retryable: true, advice: 'A part of the service is away. Send the same request again, with the same ids.' },
  INTERNAL: { status: 500, retryable: true, advice: 'Our fault. Send the same request again with the same ids; tell us the request_id.' },
} as const satisfies Record<string, CatalogueEntry>;

export type ErrorCode = keyof typeof ERROR_CATALOGUE;

export type ErrorDetails = Readonly<Record<string, unknown>>;

/** An error with a place in the catalogue. Thrown by any layer, mapped once at each edge (HTTP, Temporal, socket). */
export class DomainError extends Error {
  override readonly name = 'DomainError';
  readonly details: ErrorDetails;
  readonly outcome: ErrorOutcome;
  /** Seconds to wait, where that is known. */
  readonly retryAfterSeconds: number | null;

  constructor(
    readonly code: ErrorCode,
    message: string,
    options: { readonly details?: ErrorDetails; readonly outcome?: ErrorOutcome; readonly retryAfterSeconds?: number; readonly cause?: unknown } = {},
  ) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.details = options.details ?? {};
    this.outcome = options.outcome ?? 'none';
    this.retryAfterSeconds = options.retryAfterSeconds ?? null;
  }

  get status(): number {
    return ERROR_CATALOGUE[this.code].status;
  }

  get retryable(): boolean {
    return ERROR_CATALOGUE[this.code].retryable;
  }

  get advice(): string {
    return ERROR_CATALOGUE[this.code].advice;
  }
}

/** Reason codes of a REJECTED or CANCELED order that are ours rather than the venue's. */
export const REASON = {
  /** The deadline has passed by the venue's clock and the order is absent everywhere. */
  neverPlaced: 'NEVER_PLACED',
  /** Before the order's deadline no worker took it, or the venue could not be reached; nothing was sent. */
  notSent: 'NOT_SENT',
  rateLimited: 'RATE_LIMITED',
  venueRejected: 'VENUE_REJECTED',
  /** The venue's: a post-only order would have taken liquidity. */
  postOnlyWouldCross: 'POST_ONLY_WOULD_CROSS',
  canceledByUser: 'CANCELED_BY_USER',
  canceledByVenue: 'CANCELED_BY_VENUE',
} as const;
