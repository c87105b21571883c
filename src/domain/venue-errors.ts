/** The four ways a venue call can fail. Which one it is decides whether an order may be called refused, retried or unknown. */

export abstract class VenueError extends Error {
  override readonly name: string = 'VenueError';
  constructor(
    readonly venue: string,
    message: string,
    options?: { readonly cause?: unknown },
  ) {
    super(message, options);
  }
}

/** The venue said no. Certainly without effect. */
export class VenueRefused extends VenueError {
  override readonly name = 'VenueRefused';
  constructor(
    venue: string,
    readonly code: string,
    readonly venueCode: string,
    message: string,
    readonly raw: string | null = null,
  ) {
    super(venue, message);
  }
}

/** A list that was asked for is longer than the venue shows. It answered: the newest are here, and nothing can be concluded from what is not. */
export class HistoryCut<T> extends VenueError {
  override readonly name = 'HistoryCut';
  constructor(
    venue: string,
    message: string,
    readonly newest: readonly T[],
  ) {
    super(venue, message);
  }
}

/** 429 or 418, or our own budget is spent. Certainly without effect. */
export class VenueRateLimited extends VenueError {
  override readonly name = 'VenueRateLimited';
  constructor(
    venue: string,
    message: string,
    /** When to ask again, ms from now. */
    readonly retryAfterMs: number,
    /** budget: we held it back; venue: the venue's own ban, which binds exits too. */
    readonly by: 'budget' | 'venue',
  ) {
    super(venue, message);
  }
}

/** Certainly not sent: connection refused, DNS, breaker open, fence lost or deadline passed before the write. */
export class VenueUnavailable extends VenueError {
  override readonly name = 'VenueUnavailable';
  constructor(
    venue: string,
    message: string,
    readonly reason: 'connection' | 'breaker' | 'fence' | 'deadline' | 'canceled' | 'maintenance',
    options?: { readonly cause?: unknown },
  ) {
    super(venue, message, options);
  }
}

/** The request may have left and no readable answer came: silence is not an answer. */
export class VenueOutcomeUnknown extends VenueError {
  override readonly name = 'VenueOutcomeUnknown';
  constructor(
    venue: string,
    message: string,
    readonly reason: 'timeout' | 'reset' | 'serverError' | 'unreadable',
    readonly raw: string | null = null,
    options?: { readonly cause?: unknown },
  ) {
    super(venue, message, options);
  }
}
