/**
 * Brings money back from a venue: a nonce that the venue's credit fixed, a message that the account's own wallet signs behind the signer port, bytes that
 * are kept before they leave and sent unchanged, until the venue's ledger shows the withdrawal. What arrives is counted as everything
 * that comes to the wallet: by the chain.
 */
import type { Clock } from '../domain/clock';
import { nextMoveStep, type MoveFact, type MoveRecord } from '../domain/collateral-move-state';
import { decimal, decimalText } from '../domain/decimal';
import type { Deposit, Hex } from '../domain/deposit';
import { DomainError } from '../domain/errors';
import type { FundedOrder, FundedOrderFact } from '../domain/funded-order';
import type { Venue, VenueAccountSession } from '../domain/venue';
import { exitNonces, type VenueBridge } from '../domain/venue-bridge';
import type { WalletSigner } from '../domain/wallet-signer';
import type { Deposits } from '../store/deposits/deposits';
import type { KnownExit, VenueExits as ExitRows } from '../store/deposits/venue-exits';
import { VENUE_SHARE_MS } from '../temporal/activity-options';
import { leavesOutcomeOpen, reasonCodeOf } from './answer-evidence';
import { failureOf } from './attempt-sender';

/** An account at its venue, by the credentials it has now. */
export interface VenueAccess {
  readonly venue: Venue;
  readonly session: VenueAccountSession;
  /** Where the venue pays from on the chain, and whom; null: its bridge is not for this account. */
  readonly contract: Hex | null;
}

export interface VenueExitPorts {
  readonly clock: Clock;
  readonly rows: Pick<ExitRows, 'find' | 'begin' | 'keep' | 'takeSend' | 'learn' | 'claimArrival'>;
  readonly deposits: Pick<Deposits, 'record'>;
  readonly signer: WalletSigner;
}

/** One read of the venue. */
const READ_MS = 3_000;

export class VenueExits {
  constructor(private readonly ports: VenueExitPorts) {}

  /** One step towards the venue's ledger; null: it is on its way. Throws where signer, venue or database do not answer: ask again. */
  async step(deposit: Deposit, order: FundedOrder, access: VenueAccess | null): Promise<FundedOrderFact | null> {
    const bridge = access?.session.bridge;
    if (access === null || bridge === undefined || access.contract === null || order.credited === null) return this.noWay(deposit);
    const known = await this.signed(deposit, order.credited, { ...access, contract: access.contract }, bridge);
    if (known === null || 'kind' in known) return known;
    return this.pursue(deposit, known, access, bridge);
  }

  /** Nobody can be asked. What was signed may have left, and what becomes of it only the venue knows: it is waited for, and a person is told. */
  private async noWay({ id }: Deposit): Promise<FundedOrderFact> {
    const known = await this.ports.rows.find(id);
    return { kind: known !== null && mayHaveLeft(known) ? 'late' : 'held', reason: 'NO_WAY_BACK' };
  }

  /** Whether the transfer that the venue's ledger told of has come: counted, final, and for nobody else. */
  async arrive({ id, userId, to, toAddress }: Deposit, { back }: FundedOrder): Promise<boolean> {
    const known = await this.ports.rows.find(id);
    if (known === null || back === null) return false;
    const amount = decimalText(decimal(back.amount).minus(decimal(back.fee)));
    return (await this.ports.rows.claimArrival(id, userId, { token: to.address, from: known.contract, to: toAddress, amount })) !== null;
  }

  /** With its bytes kept, or shown by the venue already. What cannot be signed is held: no key that could sign it lies here. */
  private async signed(deposit: Deposit, credited: Credited, { venue, contract }: { readonly venue: Venue; readonly contract: Hex }, bridge: VenueBridge): Promise<KnownExit | FundedOrderFact | null> {
    const { rows, deposits, signer } = this.ports;
    const { id: depositId, userId, toAddress } = deposit;
    const begun = (await rows.find(depositId)) ?? (await this.begin(deposit, credited, { venue, contract }, bridge));
    let known = begun;
    if (!mayHaveLeft(begun)) {
      if (decimal(credited.amount).lessThanOrEqualTo(decimal(bridge.exitFee))) return { kind: 'held', reason: 'BELOW_FEE' };
      if (bridge.owner !== toAddress || (await signer.addressOf(userId)) !== bridge.owner) return { kind: 'held', reason: 'WALLET_NOT_OURS' };
      try {
        const signature = await signer.signMessage({ userId, from: bridge.owner, message: bridge.exitMessage(begun.exit), idempotencyKey: `venue-exit/${depositId}/${begun.exit.nonce}` });
        known = await rows.keep(depositId, bridge.exitRequest(begun.exit, signature));
        // A person had it asked anew meanwhile, under another nonce: that one is signed at the next look.
        if (!mayHaveLeft(known)) return null;
      } catch (error) {
        if (error instanceof DomainError && error.code === 'FORBIDDEN') return { kind: 'held', reason: `SIGNER_REFUSED: ${error.message}` };
        throw error;
      }
    }
    const after = await deposits.record(depositId, { kind: 'returnSigned', amount: known.exit.amount, fee: bridge.exitFee });
    // Somebody else has concluded otherwise meanwhile: nothing may leave that nobody would look for.
    return after.destination?.order?.state === 'RETURNING' ? known : null;
  }

  /** A database that lost what it knew asks for what it asked for before: the venue is asked first whether it shows that already. */
  private async begin({ id: depositId, userId, destination }: Deposit, credited: Credited, { venue, contract }: { readonly venue: Venue; readonly contract: Hex }, bridge: VenueBridge): Promise<KnownExit> {
    const { amount } = credited;
    const { next: nonce, all } = exitNonces(credited, await venue.venueTimeMs(reading()));
    const shown = await bridge.exitsShown(all.map((each) => ({ amount, nonce: each })), reading());
    return this.ports.rows.begin({ depositId, userId, accountId: destination?.accountId ?? '', venue: venue.name, signerId: bridge.signerId, nonce, shown, contract, amount });
  }

  /** What may have left is asked for before the same bytes are sent again. */
  private async pursue({ id }: Deposit, known: KnownExit, { venue, session }: VenueAccess, bridge: VenueBridge): Promise<FundedOrderFact | null> {
    const { rows } = this.ports;
    let { record } = known;
    for (let asked = false; ; ) {
      const venueTimeMs = await venue.venueTimeMs(reading());
      switch (nextMoveStep(record, venueTimeMs, asked)) {
        case 'end':
          return record.state === 'APPLIED' ? { kind: 'returnLeft' } : { kind: 'held', reason: `${record.reasonCode ?? record.state}: ${record.reasonMessage ?? 'the venue did not pay it out'}` };
        case 'wait':
          return null;
        case 'timeOver':
          record = await rows.learn(id, { kind: 'timeOver' });
          break;
        case 'ask': {
          const shown = await bridge.exitsShown([known.exit], reading());
          const finalAfterMs = venue.capabilities.absenceFinalAfterMs;
          if (shown.length > 0) record = await rows.learn(id, { kind: 'applied' });
          else if (finalAfterMs !== null) record = await rows.learn(id, { kind: 'absent', venueTimeMs, finalAfterMs });
          asked = true;
          break;
        }
        case 'send': {
          const after = await this.send(id, session);
          // Its ledger is the evidence: it is read at the next look.
          if (after === null || after.state === 'UNKNOWN' || after.state === 'SENDING') return null;
          record = after;
          break;
        }
      }
    }
  }

  /** null: it has ended meanwhile. */
  private async send(depositId: string, session: VenueAccountSession): Promise<MoveRecord | null> {
    // Counted from before the right is taken: a process that stands still between the two sends nothing when it wakes.
    const sendBeforeMs = this.ports.clock.nowMs() + VENUE_SHARE_MS;
    const right = await this.ports.rows.takeSend(depositId);
    if (right === null) return null;
    const { request, send, doubtedBefore } = right;
    const refusal = (code: string, message: string): MoveFact => (leavesOutcomeOpen(code) ? { kind: 'lost', message } : { kind: 'refused', send, doubtedBefore, code: reasonCodeOf(code), message });
    const fact = async (): Promise<MoveFact> => {
      try {
        const maySend = () => Promise.resolve(this.ports.clock.nowMs() < sendBeforeMs);
        const { items: [item] } = await session.send(request, { maySend, sendBeforeMs, signal: AbortSignal.timeout(VENUE_SHARE_MS), priority: 'exit' });
        return item?.kind === 'refused' ? refusal(item.code, `${item.venueCode}: ${item.message}`) : { kind: 'lost', message: 'the venue took it; its ledger has not shown it yet' };
      } catch (error) {
        const failure = failureOf(error);
        if (failure.kind === 'refused') return refusal(failure.code, failure.message);
        if (failure.kind === 'unknown') return { kind: 'lost', message: failure.message };
        return { kind: 'notSent', send, doubtedBefore, message: failure.message };
      }
    };
    return this.ports.rows.learn(depositId, await fact());
  }
}

type Credited = NonNullable<FundedOrder['credited']>;

/** Its bytes are kept, or the venue shows what another database asked for. */
function mayHaveLeft({ isSigned, record }: KnownExit): boolean {
  return isSigned || record.doubted || record.state === 'APPLIED';
}

function reading(): { readonly signal: AbortSignal; readonly priority: 'exit' } {
  return { signal: AbortSignal.timeout(READ_MS), priority: 'exit' };
}
