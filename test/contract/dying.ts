/** A process that dies at one call of its ports: before it is made, or after, when it is done and nobody knows. */
export class Crash extends Error {}

export type Wrap = <T extends object>(port: T) => T;

/** Ports wrapped by one `dyingAt` share their count; once dead, no call is made any more. */
export function dyingAt(call: number, when: 'before' | 'after'): { readonly wrap: Wrap; died(): boolean } {
  let calls = 0;
  let died = false;
  const wrap: Wrap = <T extends object>(port: T): T =>
    new Proxy(port, {
      get: (target, name) => {
        const value: unknown = Reflect.get(target, name);
        if (typeof value !== 'function') return value;
        return async (...given: unknown[]): Promise<unknown> => {
          calls += 1;
          const mine = calls;
          if (died || (mine === call && when === 'before')) {
            died = true;
            throw new Crash();
          }
          const answer: unknown = await (value as (...args: unknown[]) => unknown).apply(target, given);
          if (mine === call) {
            died = true;
            throw new Crash();
          }
          return answer;
        };
      },
    });
  return { wrap, died: () => died };
}
