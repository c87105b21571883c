/** What a conditional order's workflow knows better than a row of a restored database, and what it says of a firing by that database's terms. */
import type { HeldOrderView } from '../../activities/conditional-activities';
import type { StandingOrder } from '../../domain/remembered-orders';
import { outdated, triggerOf, type Trigger } from '../../domain/trigger';
import type { ConditionalOrder } from './conditional-order';
import type { ConditionalMemory } from './conditional-steps';

/** What this execution knows of its order's row and of how long its terms are watched. Times in ms, our clock. */
export class StandingTerms {
  private acceptedAtMs = 0;
  /** Since when it has these terms; prices from before say nothing of them. */
  private termsSinceMs = 0;
  /** Set while these terms are not watched since then, though they should be. */
  private unheardSinceMs: number | null = null;
  /** Of its row; null: it has none yet. */
  private rowRevision: number | null = null;

  /** One that goes on from what it remembers may find a row whose trigger is not the one that it armed: it is armed anew. */
  begin(state: ConditionalOrder, held: HeldOrderView, memory: ConditionalMemory | null, startedAtMs: number): void {
    this.acceptedAtMs = held.acceptedAtMs ?? 0;
    this.termsSinceMs = memory?.termsSinceMs ?? (state.termsVersion === 0 && this.acceptedAtMs > 0 ? this.acceptedAtMs : startedAtMs);
    this.saw(Math.max(held.revision, memory?.rowRevision ?? 0));
    if (memory?.termsSinceMs === undefined || !lacksItsTrigger(state, held)) return;
    state.armedVersion = null;
    this.unheardSinceMs = this.countsSinceMs(state);
  }

  saw(revision: number): void {
    this.rowRevision = Math.max(this.rowRevision ?? 0, revision);
  }

  amended(revision: number, nowMs: number): void {
    this.saw(revision);
    this.termsSinceMs = nowMs;
  }

  /** null: its row was never there. */
  standing(state: ConditionalOrder): StandingOrder | null {
    const { quantity, limitPrice, condition, fired, armedVersion, triggerId, triggerNumber, termsVersion } = state;
    if (this.rowRevision === null) return null;
    const triggered = fired === null ? null : { by: fired.by, level: fired.level, evidence: fired.evidence };
    return { quantity, limitPrice, condition, revision: this.rowRevision, triggerId: fired === null && armedVersion !== null ? triggerId : null, triggerNumber, triggerRevision: termsVersion + 1, triggered, pricesSinceMs: this.countsSinceMs(state) };
  }

  /** Carried over continue-as-new. */
  memory(state: ConditionalOrder): ConditionalMemory {
    return { ...state.memory(), rowRevision: this.rowRevision ?? 0, termsSinceMs: this.termsSinceMs };
  }

  /** Why a firing is of terms from before those it has; null: it is not. Then nobody has watched its terms since they were taken. */
  firedByOlder(state: ConditionalOrder, trigger: Trigger): string | null {
    const parameters = triggerOf({ ...state.intent, condition: state.condition });
    const words = parameters === null ? null : outdated(trigger, { revision: state.termsVersion + 1, parameters });
    if (words !== null) this.unheardSinceMs = this.countsSinceMs(state);
    return words;
  }

  /** From when on prices count for a trigger that is armed now; undefined: from now. Whatever kept one of a start time from being armed then, what was traded since counts. */
  armsSinceMs({ condition: { startAt }, triggerNumber }: ConditionalOrder, version: number): number | undefined {
    if (this.unheardSinceMs !== null) return this.unheardSinceMs;
    return startAt === null || triggerNumber > 0 || version > 0 ? undefined : Math.max(Date.parse(startAt), this.acceptedAtMs);
  }

  watched(): void {
    this.unheardSinceMs = null;
  }

  /** Nothing from before it was accepted, amended, or is to begin. */
  private countsSinceMs({ condition: { startAt } }: ConditionalOrder): number {
    return startAt === null ? this.termsSinceMs : Math.max(Date.parse(startAt), this.termsSinceMs);
  }
}

function lacksItsTrigger({ fired, armedVersion, triggerNumber, termsVersion }: ConditionalOrder, { armedRevision }: HeldOrderView): boolean {
  if (fired !== null || armedVersion === null || triggerNumber > 0 || armedRevision === undefined) return false;
  return armedRevision === null || armedRevision < termsVersion + 1;
}
