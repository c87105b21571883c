import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { seatKey, type SeatStore } from '../../../src/domain/seats';
import { BEAT_MS, LEASE_MS, SeatedProcess, SeatTable } from './seat-model';

const PROCESSES = 3;
const MAX = 3;
const SCOPES = ['sockets/alice', 'sockets/bob'] as const;

type Step =
  | { readonly kind: 'take' | 'giveBack' | 'crash' | 'stop' | 'goOn'; readonly process: number; readonly which: number }
  | { readonly kind: 'lostAnswer' | 'storeGoes' | 'storeReturns' }
  /** Every process gives a sign of life, `first` before the others; `eager` asks for a seat right after its own. */
  | { readonly kind: 'beats'; readonly first: number; readonly eager: number; readonly times: number };

const process = fc.nat(PROCESSES - 1);
const which = fc.nat(20);
const told = fc.oneof(
  { weight: 8, arbitrary: fc.record({ kind: fc.constantFrom('take' as const, 'take' as const, 'giveBack' as const), process, which }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('crash' as const), process, which }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constantFrom('lostAnswer' as const, 'storeGoes' as const, 'storeReturns' as const) }) },
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('beats' as const), first: process, eager: process, times: fc.integer({ min: 1, max: 8 }) }) },
);
const stopped = fc.record({ kind: fc.constantFrom('stop' as const, 'goOn' as const), process, which });
const steady = fc.array(told, { minLength: 5, maxLength: 40 });
const withStops = fc.array(fc.oneof({ weight: 16, arbitrary: told }, { weight: 3, arbitrary: stopped }), { minLength: 5, maxLength: 40 });

type Through = (store: SeatStore) => SeatStore;

class World {
  readonly table = new SeatTable();
  readonly processes: SeatedProcess[];
  private lives = 0;

  constructor(private readonly through: Through, private readonly bounded: boolean) {
    this.processes = Array.from({ length: PROCESSES }, (_, index) => this.born(index));
  }

  async step(step: Step): Promise<void> {
    switch (step.kind) {
      case 'storeGoes':
      case 'storeReturns':
        this.table.isAway = step.kind === 'storeGoes';
        break;
      case 'lostAnswer':
        this.table.losesAnswer = true;
        break;
      case 'beats':
        for (let n = 0; n < step.times; n += 1) await this.beats(step.first, step.eager);
        break;
      case 'crash':
        await this.at(step.process).crash();
        this.processes[step.process] = this.born(step.process);
        break;
      case 'stop':
      case 'goOn':
        this.at(step.process).isStopped = step.kind === 'stop';
        break;
      case 'giveBack':
        if (!this.at(step.process).isStopped) this.at(step.process).giveBack(step.which);
        break;
      case 'take':
        await this.take(step.process, SCOPES[step.which % SCOPES.length] ?? SCOPES[0]);
    }
  }

  /** All is well again for long enough. */
  async settle(): Promise<void> {
    this.table.isAway = false;
    this.table.losesAnswer = false;
    for (const each of this.processes) each.isStopped = false;
    for (let n = 0; n * BEAT_MS <= 2 * LEASE_MS + BEAT_MS; n += 1) await this.beats(0, -1);
  }

  async close(): Promise<void> {
    for (const each of this.processes) await each.keeper.close();
  }

  seated(scope: string): number {
    return this.processes.flatMap(({ seated }) => seated).filter((seat) => seat.scope === scope).length;
  }

  private async beats(first: number, eager: number): Promise<void> {
    this.table.nowMs += BEAT_MS;
    for (let n = 0; n < PROCESSES; n += 1) {
      const index = (first + n) % PROCESSES;
      if (this.at(index).isStopped) continue;
      await this.at(index).keeper.beat();
      if (index === eager) await this.take(index, SCOPES[0]);
    }
  }

  private async take(index: number, scope: string): Promise<void> {
    if (this.at(index).isStopped) return;
    await this.at(index).take(scope, MAX);
    if (this.bounded && this.seated(scope) > MAX) throw new Error(`${this.seated(scope)} sit in ${scope}, ${MAX} may`);
  }

  private at(index: number): SeatedProcess {
    const found = this.processes[index];
    if (found === undefined) throw new RangeError(`no process ${index}`);
    return found;
  }

  /** The first process listens on an address; the others are anywhere. */
  private born(index: number): SeatedProcess {
    return new SeatedProcess(`p${index}-${(this.lives += 1)}`, index === 0 ? 'host:3000' : null, this.table, this.through);
  }
}

/** `bounded`: no process is stopped for a while, so none was silent without knowing it. */
function seatsAreHeld(through: Through, bounded: boolean): fc.IAsyncPropertyWithHooks<[Step[]]> {
  return fc.asyncProperty(bounded ? steady : withStops, async (steps) => {
    const world = new World(through, bounded);
    try {
      for (const step of steps) await world.step(step);
      await world.settle();
      const { table, processes } = world;
      // What is counted is what living processes have, and nothing of the dead.
      expect([...table.rows.values()].filter((row) => !processes.some(({ holder }) => holder.id === row.holderId))).toEqual([]);
      for (const { holder, seated } of processes) expect(table.of(holder.id)).toEqual(seated.map(seatKey).sort());
      // And what is free can be taken, up to the limit.
      for (const scope of SCOPES) {
        const before = world.seated(scope);
        for (let free = MAX - before; free > 0; free -= 1) expect(await processes[1]?.take(scope, MAX)).toBe(true);
        expect(await processes[2]?.take(scope, MAX)).toBe(false);
      }
    } finally {
      await world.close();
    }
  });
}

const RUNS = { numRuns: 1_000 };
const asItIs: Through = (store) => store;

describe('whatever crashes, is away or is given back', () => {
  test('no more seats are taken than there are, the dead lose theirs, and every free one can be had', async () => {
    await fc.assert(seatsAreHeld(asItIs, true), RUNS);
  });

  test('a process that was stopped for longer than its lease keeps what it had, and all is counted again', async () => {
    await fc.assert(seatsAreHeld(asItIs, false), RUNS);
  });

  const forgottenSeats: Through = (store) => {
    const granted = new Set<string>();
    return {
      ...store,
      change: async (holder, given, wanted) => {
        const answer = await store.change(holder, given.filter((seat) => granted.has(seatKey(seat))), wanted);
        wanted.forEach((seat, index) => void (answer?.[index] === true && granted.add(seatKey(seat))));
        return answer;
      },
    };
  };
  /** As each process did before there were seats. */
  const ofItsOwn: Through = (store) => {
    let taken = 0;
    return {
      ...store,
      change: async (holder, given, wanted) => {
        taken -= given.length;
        const free = wanted.map((seat) => ({ ...seat, max: taken < seat.max ? Number.MAX_SAFE_INTEGER : 0 }));
        const answer = await store.change(holder, given, free);
        taken += (answer ?? []).filter((granted) => granted).length;
        return answer;
      },
    };
  };
  const through = (change: (store: SeatStore) => Partial<SeatStore>): Through => (store) => ({ ...store, ...change(store) });
  test.each<[string, Through, boolean]>([
    ['takes the seats of whoever could not say that it lives', through((store) => ({ beat: (holder) => store.beat(holder, true) })), true],
    ['never takes the seats of the dead', through((store) => ({ beat: (holder) => store.beat(holder, false) })), true],
    ['enters without what it had', through((store) => ({ enter: (holder, _seats, isFirst) => store.enter(holder, [], isFirst) })), false],
    ['does not notice that it was forgotten', through((store) => ({ beat: async (holder, forget) => (await store.beat(holder, forget), true), change: async (holder, given, wanted) => (await store.change(holder, given, wanted)) ?? wanted.map(() => false) })), false],
    ['gives back once, heard or not', through((store) => ({ change: async (holder, given, wanted) => (wanted.length > 0 ? store.change(holder, given, wanted) : store.change(holder, given, wanted).catch(() => [])) })), true],
    ['forgets the seat whose answer was lost', forgottenSeats, true],
    ['counts its own seats only', ofItsOwn, true],
  ])('the property finds a process that %s', async (_name, broken, bounded) => {
    expect((await fc.check(seatsAreHeld(broken, bounded), { ...RUNS, seed: 1 })).failed).toBe(true);
  });
});
