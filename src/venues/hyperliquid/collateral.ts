/** Moving collateral within an account: between its own dexes, and to and from an isolated position. An agent may do that and no more. */
import { decimal, sum } from '../../domain/decimal';
import type * as port from '../../domain/venue';
import { VenueRefused } from '../../domain/venue-errors';
import { actionBody, expiryOf, type ActionSigner, type HyperliquidBytes } from './actions';
import { dexOf, type Asset } from './normalize';
import type * as wire from './schemas';
import { chainName, MAX_WIRE_DECIMALS, SIGNATURE_CHAIN_ID, signUserAction, wireDecimal } from './signing';

/** The venue's names of pools: '' its own dex, `spot`, or a HIP-3 dex. */
const POOL = /^[a-z0-9]{0,16}$/;
/** Isolated margin is told in millionths of a dollar. */
const MARGIN_UNITS = 1_000_000;
/** What the venue shows of a position's own money is rounded to its unit, once before and once after. */
const ROUNDED = '0.000002';

export interface MovesParts {
  readonly signer: ActionSigner;
  readonly agent: string;
  readonly owner: string;
  /** Throws VenueRefused for a market the venue does not have. */
  asset(venueSymbol: string, options: port.ReadOptions): Promise<Asset>;
  /** Throws VenueRefused for a token the venue does not have. */
  tokenOf(asset: string, options: port.ReadOptions): Promise<string>;
  venueTimeMs(options: port.ReadOptions): Promise<number>;
  state(dex: string, options: port.ReadOptions): Promise<wire.Clearinghouse>;
  ledgerSince(sinceMs: number, options: port.ReadOptions): Promise<readonly { readonly delta: Readonly<Record<string, unknown>> }[]>;
  fundingPayments(sinceMs: number, cursor: string | null, options: port.ReadOptions): Promise<port.FundingPaymentsPage>;
}

/** `rawUsd`: what of a position is its own money. */
type Basis = { readonly atMs: number; readonly token: string } | { readonly atMs: number; readonly assetId: number; readonly size: string; readonly rawUsd: string };

export class HyperliquidMoves implements port.VenueMoves {
  constructor(private readonly parts: MovesParts) {}

  async basis(move: port.VenueMove, options: port.ReadOptions): Promise<string> {
    const atMs = await this.parts.venueTimeMs(options);
    if (move.kind === 'transfer') return JSON.stringify({ atMs, token: await this.parts.tokenOf(move.asset, options) } satisfies Basis);
    const { id } = await this.parts.asset(move.venueSymbol, options);
    const held = await this.isolated(move.venueSymbol, options);
    if (held === null) throw new VenueRefused(this.venue, 'other', 'NOT_ISOLATED', `${this.venue} holds no isolated position in ${move.venueSymbol}: only such a one has margin of its own`);
    return JSON.stringify({ atMs, assetId: id, ...held } satisfies Basis);
  }

  prepare(move: port.VenueMove, basis: string, context: port.PrepareContext): port.SignedRequest {
    const { nonce } = context;
    if (nonce === null) throw new RangeError(`${this.venue} needs a nonce`);
    const known = JSON.parse(basis) as Basis;
    const expiresAfterMs = expiryOf(context);
    const made = move.kind === 'transfer' && 'token' in known ? transferBody(this.parts.signer, this.parts, move, { token: known.token, nonce, expiresAfterMs }) : marginBody(this.parts.signer, move, known, { nonce, expiresAfterMs });
    const bytes: HyperliquidBytes = { body: made.body, orders: [], cancels: [], refused: {}, atMs: Number(nonce) };
    return { kind: 'move', bytes: JSON.stringify(bytes), nonce, venueDeadlineMs: made.expiresAfterMs };
  }

  /** A transfer is in the venue's ledger under its nonce. Margin is in no ledger: the position's own money tells it, unless its size changed. */
  async outcome(move: port.VenueMove, basis: string, nonce: string | null, options: port.ReadOptions): Promise<port.VenueMoveOutcome> {
    const known = JSON.parse(basis) as Basis;
    if (move.kind === 'transfer') {
      const lines = await this.parts.ledgerSince(known.atMs, options);
      return lines.some(({ delta }) => this.isLineOf(move, known, nonce, delta)) ? 'applied' : 'absent';
    }
    const held = await this.isolated(move.venueSymbol, options);
    if (held === null || !('rawUsd' in known) || !decimal(held.size).equals(known.size)) return 'unclear';
    const { payments, next } = await this.parts.fundingPayments(known.atMs, null, options);
    if (next !== null) return 'unclear';
    const funded = sum(payments.filter(({ venueSymbol }) => venueSymbol === move.venueSymbol).map(({ amount }) => amount));
    const change = decimal(held.rawUsd).minus(known.rawUsd).minus(funded);
    const [isApplied, isAbsent] = [change.minus(move.amount).abs(), change.abs()].map((distance) => distance.lessThanOrEqualTo(ROUNDED));
    return isApplied === isAbsent ? 'unclear' : isApplied === true ? 'applied' : 'absent';
  }

  /** A nonce is used once by its signer, and a ledger holds what others did too: kind, amount, token and direction must be this transfer's. */
  private isLineOf({ fromPool, toPool, amount }: port.CollateralTransfer, basis: Basis, nonce: string | null, delta: Readonly<Record<string, unknown>>): boolean {
    const text = (field: string): string | null => (typeof delta[field] === 'string' ? delta[field] : null);
    const holder = this.parts.signer.vaultAddress ?? this.parts.owner;
    const token = 'token' in basis ? basis.token.split(':')[0] : null;
    return delta['type'] === 'send' && delta['nonce'] === Number(nonce) && text('sourceDex') === fromPool && text('destinationDex') === toPool && text('token') === token && text('user')?.toLowerCase() === holder && text('destination')?.toLowerCase() === holder && decimal(text('amount') ?? '0').equals(decimal(amount));
  }

  private get venue(): string {
    return this.parts.signer.venue;
  }

  private async isolated(venueSymbol: string, options: port.ReadOptions): Promise<{ size: string; rawUsd: string } | null> {
    const { assetPositions } = await this.parts.state(dexOf(venueSymbol), options);
    const found = assetPositions.find(({ position }) => position.coin === venueSymbol)?.position;
    return found?.leverage.rawUsd === undefined || decimal(found.szi).isZero() ? null : { size: found.szi, rawUsd: found.leverage.rawUsd };
  }
}

/** The text of the request, and until when the venue takes it; null: it looks at no deadline. */
interface Made {
  readonly body: string;
  readonly expiresAfterMs: number | null;
}

function marginBody(signer: ActionSigner, move: port.VenueMove, basis: Basis, { nonce, expiresAfterMs }: { readonly nonce: string; readonly expiresAfterMs: number }): Made {
  if (!('assetId' in basis)) throw new RangeError(`${signer.venue}: the basis is of another kind of move`);
  const units = decimal(move.amount).times(MARGIN_UNITS);
  if (!units.isInteger() || units.isZero()) throw new VenueRefused(signer.venue, 'invalidQuantity', 'BAD_AMOUNT', `${signer.venue} moves margin in millionths, and not nothing: got ${move.amount}`);
  return { body: actionBody(signer, { type: 'updateIsolatedMargin', asset: basis.assetId, isBuy: true, ntli: units.toNumber() }, nonce, expiresAfterMs), expiresAfterMs };
}

/**
 * `agentSendAsset`, an L1 action, where an agent signs; `sendAsset`, signed as a user's, where the account's own key does. Its
 * destination is always the account itself. Throws VenueRefused on what is no transfer.
 */
export function transferBody(signer: ActionSigner, who: { readonly agent: string; readonly owner: string }, transfer: port.CollateralTransfer, { token, nonce, expiresAfterMs }: { readonly token: string; readonly nonce: string; readonly expiresAfterMs: number }): Made {
  const { fromPool, toPool, amount } = transfer;
  if (!POOL.test(fromPool) || !POOL.test(toPool) || fromPool === toPool) throw new VenueRefused(signer.venue, 'other', 'BAD_POOL', `${signer.venue} moves collateral between two of: its own dex, spot, and the names of dexes; got '${fromPool}' and '${toPool}'`);
  if (decimal(amount).decimalPlaces() > MAX_WIRE_DECIMALS) throw new VenueRefused(signer.venue, 'invalidQuantity', 'BAD_AMOUNT', `${signer.venue} takes amounts of at most ${MAX_WIRE_DECIMALS} decimals; got ${amount}`);
  const common = { destination: signer.vaultAddress ?? who.owner, sourceDex: fromPool, destinationDex: toPool, token, amount: wireDecimal(amount), fromSubAccount: signer.vaultAddress ?? '' };
  // A transfer names the account itself; the sub-account is named inside it.
  if (who.agent !== who.owner) return { body: actionBody({ ...signer, vaultAddress: null }, { type: 'agentSendAsset', ...common, nonce: Number(nonce) }, nonce, expiresAfterMs), expiresAfterMs };
  const action = { type: 'sendAsset', signatureChainId: SIGNATURE_CHAIN_ID, hyperliquidChain: chainName(signer.network), ...common, nonce: Number(nonce) };
  const signature = signUserAction('HyperliquidTransaction:SendAsset', action, signer);
  return { body: JSON.stringify({ action, nonce: Number(nonce), signature, vaultAddress: null, expiresAfter: null }), expiresAfterMs: null };
}
