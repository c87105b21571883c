/** /readyz tells a worker that waits quietly from one that is dead. */
import { describe, expect, test } from '@jest/globals';
import { WorkerPresence, type Poller } from '../../../src/main/worker-presence';
import { workerIdentity } from '../../../src/temporal/worker-identity';

const LEASE_MS = 15_000;
const START_MS = Date.parse('2026-01-01T00:00:00.000Z');

/** One worker, or several, over a Temporal that remembers who asked and a store that remembers who lives. */
class World {
  elapsedMs = 0;
  asked = new Map<string, number>();
  leases = new Map<string, number>();
  reads = 0;
  storeAway = false;
  readonly presence = new WorkerPresence({
    pollers: async (): Promise<readonly Poller[]> => [...this.asked].map(([identity, atMs]) => ({ identity, askedAtMs: START_MS + atMs })),
    leases: async () => {
      this.reads += 1;
      if (this.storeAway) throw new Error('the store is away');
      return new Map([...this.leases].flatMap(([name, untilMs]): [string, number][] => (untilMs > this.elapsedMs ? [[name, untilMs - this.elapsedMs]] : [])));
    },
    nowMs: () => START_MS + this.elapsedMs,
    elapsedMs: () => this.elapsedMs,
  });

  asks(name: string): void {
    this.asked.set(name, this.elapsedMs);
  }

  beats(name: string): void {
    this.leases.set(name, this.elapsedMs + LEASE_MS);
  }

  /** Second by second, as an API looks; answers when it first said no, in ms from now. null: never. */
  async firstNo(seconds: number, meanwhile: (second: number) => void = () => undefined): Promise<number | null> {
    const startMs = this.elapsedMs;
    for (let second = 1; second <= seconds; second += 1) {
      this.elapsedMs += 1_000;
      meanwhile(second);
      if (!(await this.presence.isThere())) return this.elapsedMs - startMs;
    }
    return null;
  }
}

const worker = workerIdentity('host', 7, 'one');

describe('a worker', () => {
  test('that waits for work for an hour is there, and its lease is looked at once in ten seconds or so', async () => {
    const world = new World();
    const no = await world.firstNo(3_600, (second) => {
      if (second % 60 === 1) world.asks(worker);
      if (second % 5 === 1) world.beats(worker);
    });
    expect(no).toBeNull();
    expect(world.reads).toBeLessThan(3_600 / 9);
  });

  test.each([0, 1, 2, 3, 4])('that is killed %i s after its last sign of life is gone within 16 s, whatever Temporal remembers', async (quietSeconds) => {
    const world = new World();
    world.asks(worker);
    world.beats(worker);
    await world.firstNo(20 + quietSeconds, (second) => (second <= 20 && second % 5 === 0 ? world.beats(worker) : undefined));
    expect(await world.presence.isThere()).toBe(true);
    const no = await world.firstNo(60);
    expect(no).toBeLessThanOrEqual(16_000);
    // Temporal would have named it for longer.
    expect(world.elapsedMs - (world.asked.get(worker) ?? 0)).toBeLessThan(70_000);
  });

  test('whose signs of life are late is there while it asks for work', async () => {
    const world = new World();
    expect(await world.firstNo(300, (second) => (second % 9 === 1 ? world.asks(worker) : undefined))).toBeNull();
  });

  test('that another replaced is not missed: who asks under another life counts by its own lease', async () => {
    const world = new World();
    world.asks(worker);
    world.beats(worker);
    const next = workerIdentity('host', 7, 'two');
    const no = await world.firstNo(200, (second) => {
      if (second === 5) world.asks(next);
      if (second >= 5 && second % 5 === 0) world.beats(next);
      if (second % 60 === 5) world.asks(next);
    });
    expect(no).toBeNull();
  });

  test('that lives but asks for nothing any more is not there, whatever its lease says', async () => {
    const world = new World();
    world.asks(worker);
    const no = await world.firstNo(200, () => world.beats(worker));
    expect(no).toBe(70_000);
  });

  test('of a version without leases is believed as long as Temporal remembers that it asked', async () => {
    const world = new World();
    world.asks('7@host');
    expect(await world.firstNo(200)).toBe(70_000);
    expect(world.reads).toBe(0);
  });

  test('cannot be told of where neither Temporal nor the store knows', async () => {
    const world = new World();
    world.asks(worker);
    world.elapsedMs += 30_000;
    world.storeAway = true;
    await expect(world.presence.isThere()).rejects.toThrow('the store is away');
    world.asks(worker);
    expect(await world.presence.isThere()).toBe(true);
  });
});
