/** The refusals of the paper venue, as its clients see them on the wire. */

/** Every code the venue answers with, and the HTTP status it has when it refuses a whole request. */
export const PAPER_ERROR_STATUS = {
  BAD_REQUEST: 400,
  UNAUTHORIZED: 401,
  KEY_REVOKED: 401,
  NOT_FOUND: 404,
  PAYLOAD_TOO_LARGE: 413,
  DUPLICATE_CLIENT_ID: 409,
  EXPIRED_REQUEST: 400,
  UNKNOWN_MARKET: 400,
  BAD_TICK: 400,
  BAD_LOT: 400,
  BELOW_MINIMUM: 400,
  INSUFFICIENT_MARGIN: 400,
  LEVERAGE_TOO_HIGH: 400,
  POST_ONLY_WOULD_CROSS: 400,
  REDUCE_ONLY_WOULD_INCREASE: 400,
  NO_LIQUIDITY: 400,
  TRIGGER_ALREADY_REACHED: 400,
  ORDER_NOT_FOUND: 404,
  ORDER_CLOSED: 409,
  RATE_LIMITED: 429,
  BATCH_TOO_LARGE: 400,
  INTERNAL: 500,
} as const;

export type PaperErrorCode = keyof typeof PAPER_ERROR_STATUS;

/** A refusal: nothing was changed by the request (or by the item of a batch) it answers. */
export class PaperError extends Error {
  override readonly name = 'PaperError';

  constructor(
    readonly code: PaperErrorCode,
    message: string,
  ) {
    super(message);
  }

  get status(): number {
    return PAPER_ERROR_STATUS[this.code];
  }

  body(): { code: string; message: string } {
    return { code: this.code, message: this.message };
  }
}
