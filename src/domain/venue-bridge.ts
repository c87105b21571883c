/** How money comes to an account of a venue from a chain, and back, as a venue's adapter must express it. */
import type { Hex } from './deposit';
import type { ReadOptions, SignedRequest } from './venue';
import type { TypedMessage } from './wallet-signer';

/** Money that the venue's ledger shows to have come over its bridge. */
export interface VenueCredit {
  /** Names this line of the ledger among all lines of the venue, for ever. */
  readonly reference: string;
  readonly amount: string;
  /** Venue's time, ms. */
  readonly atMs: number;
  /** The nonce under which it is asked back: fixed by the venue when it credited it, so that whoever asks, asks for the same withdrawal. */
  readonly exitNonce: string;
}

/** What is to be paid out, to the address that the account has at the venue. */
export interface VenueExit {
  /** What leaves the account: the venue keeps its fee of it. */
  readonly amount: string;
  /** Taken once by the venue, and a time: ms. */
  readonly nonce: string;
}

/** The same bytes take effect at most once. Only the account's own wallet can sign: agents and API keys cannot withdraw. */
export interface VenueBridge {
  /** Whose wallet signs, and where the money arrives. */
  readonly owner: Hex;
  /** Whose nonces the venue counts, as `Venue.signerOf` names them. */
  readonly signerId: string;
  /** What the venue keeps of a withdrawal, in the token's unit. */
  readonly exitFee: string;
  /** From `sinceMs` (venue's time, inclusive), oldest first. */
  credits(sinceMs: number, options: ReadOptions): Promise<readonly VenueCredit[]>;
  /** Pure. */
  exitMessage(exit: VenueExit): TypedMessage;
  /** Pure. The request that `send` takes as a move. Throws RangeError on a signature of another form. */
  exitRequest(exit: VenueExit, signature: Hex): SignedRequest;
  /** Which of these the venue's ledger shows, by their nonces. One that it does not show may come yet: its bytes may be on their way. */
  exitsShown(exits: readonly VenueExit[], options: ReadOptions): Promise<readonly string[]>;
}

/** A venue takes no nonce that is much older than a day: what is asked back later has that day's own. */
const EXIT_DAY_MS = 86_400_000n;
/** Nonces of one credit and day: the first, and one for each time that a person had it asked anew after a refusal. */
export const EXIT_TRIES = 16;

/**
 * The nonces under which a credit may be asked back, or may have been by somebody whose database is lost: `next` is today's, of the venue's
 * clock; `all` are those of each day until now. A function of what the venue fixed, and of no database. Credits that were recorded without a
 * nonce (before their lines of one moment were told apart) have the time of their line.
 */
export function exitNonces({ exitNonce, at }: { readonly exitNonce?: string; readonly at: string }, venueTimeMs: number): { readonly next: string; readonly all: readonly string[] } {
  const start = BigInt(exitNonce ?? Date.parse(at));
  const age = BigInt(Math.trunc(venueTimeMs)) - start;
  const days = age > 0n ? age / EXIT_DAY_MS : 0n;
  const all: string[] = [];
  for (let day = 0n; day <= days; day += 1n) for (let attempt = 0n; attempt < EXIT_TRIES; attempt += 1n) all.push(String(start + day * EXIT_DAY_MS + attempt));
  return { next: String(start + days * EXIT_DAY_MS), all };
}
