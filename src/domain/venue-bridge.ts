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
  /** What the venue's ledger shows of it. `absent` is no proof that it never will be: its bytes may be on their way. */
  exitOutcome(exit: VenueExit, options: ReadOptions): Promise<'applied' | 'absent'>;
}
