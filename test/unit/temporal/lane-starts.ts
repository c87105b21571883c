/** A lane whose starts and whose clock are the test's. */
import { MAX_GROUP_ORDERS, OrderLane, type LaneOptions } from '../../../src/temporal/order-lanes';

/** Starts of groups under the test's control: each stays in flight until it is answered here. */
export class Starts {
  readonly groups: (readonly string[])[] = [];
  private readonly ends: { resolve(): void; reject(error: unknown): void }[] = [];

  readonly start = (items: readonly string[]): Promise<void> => {
    this.groups.push(items);
    return new Promise((resolve, reject) => this.ends.push({ resolve, reject }));
  };

  async answer(index: number): Promise<void> {
    this.ends[index]?.resolve();
    await settle();
  }

  async fail(index: number, error: unknown): Promise<void> {
    this.ends[index]?.reject(error);
    await settle();
  }

  get sizes(): number[] {
    return this.groups.map((group) => group.length);
  }
}

/** Lets every promise that is ready go on. No timer moves. */
export async function settle(): Promise<void> {
  for (let turns = 0; turns < 20; turns += 1) await Promise.resolve();
}

export const names = (count: number, prefix = 'o'): string[] => Array.from({ length: count }, (_, index) => `${prefix}${index}`);

/** Orders that have no last moment, none of them an exit. */
export const TIMELESS: Pick<LaneOptions<string>, 'clock' | 'startBeforeMs' | 'isExit'> = { clock: { nowMs: () => 0 }, startBeforeMs: () => Infinity, isExit: () => false };

export function lane(oneGroupAtATime = false, maxOrders = MAX_GROUP_ORDERS, about: Partial<LaneOptions<string>> = {}): { starts: Starts; lane: OrderLane<string> } {
  const starts = new Starts();
  return { starts, lane: new OrderLane<string>(starts.start, { ...TIMELESS, oneGroupAtATime, maxOrders, ...about }) };
}
