/** An engine's surroundings, each played here: a table, a venue that tells its past, Temporal and a clock. */
import type { Ticker } from '../../../src/domain/market';
import { EpochLost, type WriterEpoch } from '../../../src/domain/order-store';
import type { Trigger, TriggerEvidence, TriggerParameters } from '../../../src/domain/trigger';
import type { History } from '../../../src/streams/triggers/trigger-catch-up';
import { TriggerEngine } from '../../../src/streams/triggers/trigger-engine';

export const stop: TriggerParameters = { kind: 'level', priceType: 'last', direction: 'atOrBelow', triggerPrice: '90', trailingOffset: null, trailingOffsetType: null, activationPrice: null, gapPolicy: 'traded' };
export const trail: TriggerParameters = { ...stop, kind: 'trailing', triggerPrice: null, trailingOffset: '5', trailingOffsetType: 'price' };
const WRITER: WriterEpoch = { scope: 'market/paper', epoch: 1 };

const engines: TriggerEngine[] = [];

export async function closeEngines(): Promise<void> {
  await Promise.all(engines.splice(0).map((engine) => engine.close()));
}

export class World {
  nowMs = 1_000_000;
  epoch = 1;
  readonly rows = new Map<string, Trigger>();
  readonly told: TriggerEvidence[] = [];
  readonly lags: number[] = [];
  readonly refused: string[] = [];
  readonly troubles: unknown[] = [];
  storeDown = false;
  temporalDown = false;
  past: History | null = { origin: 'trades', trades: [], candles: [], candleMs: 0, untilMs: 0 };
  /** From when on its past was asked for. */
  readonly asked: number[] = [];
  venueAheadMs = 0;
  /** Of what changed. */
  reads = 0;
  /** A re-read looks back a few seconds only; false: what changed was longer ago. */
  tellsChanges = true;
  /** Awaited before the table is asked to store what fired. */
  beforeStoring: (evidence: TriggerEvidence) => Promise<void> = async () => undefined;
  acknowledges = true;

  constructor(...triggers: readonly Trigger[]) {
    for (const trigger of triggers) this.rows.set(trigger.id, trigger);
  }

  open(): TriggerEngine {
    const engine = new TriggerEngine({
      venue: 'paper',
      clock: { nowMs: () => this.nowMs },
      rules: { bandBps: 1_000, confirmMs: 500, staleMs: 10_000 },
      rows: {
        waiting: async () => [...this.rows.values()].filter(({ status, acknowledged }) => status === 'ARMED' || (status === 'FIRED' && !acknowledged)),
        changedSince: async () => {
          this.reads += 1;
          return this.tellsChanges ? [...this.rows.values()] : [];
        },
        fire: async (writer, evidence) => {
          await this.beforeStoring(evidence);
          if (this.storeDown) throw new Error('the database cannot be reached');
          if (writer.epoch !== this.epoch) throw new EpochLost(writer);
          const row = this.rows.get(evidence.triggerId);
          if (row === undefined || row.status === 'DISARMED' || row.revision !== evidence.revision) return { verdict: 'stale', trigger: row ?? null };
          if (row.status === 'FIRED') return { verdict: 'repeated', trigger: row };
          return { verdict: 'fired', trigger: this.put({ ...row, status: 'FIRED', evidence }) };
        },
        acknowledge: async (id) => this.acknowledge(id),
        checkpoint: async (writer, marks) => {
          if (writer.epoch !== this.epoch) throw new EpochLost(writer);
          for (const { id, extreme, checkpointAtMs } of marks) this.put({ ...(this.rows.get(id) as Trigger), extreme, checkpointAtMs });
        },
      },
      onTold: (_evidence, lagMs) => this.lags.push(lagMs),
      signal: async (_workflowId, evidence) => {
        if (this.temporalDown) throw new Error('Temporal is away');
        this.told.push(evidence);
        if (this.acknowledges) this.acknowledge(evidence.triggerId);
        return 'told';
      },
      history: async (_symbol, sinceMs) => {
        this.asked.push(sinceMs);
        return this.past;
      },
      venueAheadMs: async () => this.venueAheadMs,
      onRefused: (_symbol, verdict) => void this.refused.push(verdict),
      onTrouble: (error) => void this.troubles.push(error),
    });
    engines.push(engine);
    return engine;
  }

  async begun(watchedMs: number | null = null): Promise<TriggerEngine> {
    const engine = this.open();
    await engine.load();
    await engine.begin({ ...WRITER, epoch: this.epoch }, watchedMs);
    return engine;
  }

  put(trigger: Trigger): Trigger {
    this.rows.set(trigger.id, trigger);
    return trigger;
  }

  ticker(changes: Partial<Ticker>): { kind: 'ticker'; ticker: Ticker } {
    this.nowMs += 100;
    return { kind: 'ticker', ticker: { venue: 'paper', symbol: 'BTC-PERP', bid: null, ask: null, last: null, mark: null, at: this.nowMs, ...changes } };
  }

  private acknowledge(id: string): Trigger | null {
    const row = this.rows.get(id);
    return row === undefined ? null : this.put({ ...row, acknowledged: true });
  }
}

export const prices = (world: World, engine: TriggerEngine, ...all: readonly string[]): void => all.forEach((last) => engine.hear(world.ticker({ last })));
export const status = (world: World, id = 't'): string | undefined => world.rows.get(id)?.status;
