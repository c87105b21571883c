import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals';
import { ChangeSet, type CommittedEvent } from '../../../src/store/change-set';
import { announcement, CommitAnnouncer, MORE_FOLLOWS_MS } from '../../../src/store/commit-announcer';
import type { Statement } from '../../../src/store/database/database';

let told: string[];
let failures: unknown[];
let announcer: CommitAnnouncer;

const eventOf = (stream: string, sequence: number): CommittedEvent => ({ stream, sequence, userId: 'u', accountId: stream, type: 'order.submitting', at: '2026-01-01T00:00:00.000Z', orderId: null, data: {} });
/** `<stream> <sequence>` of each event it tells of. */
function payloads(statement: Statement | null): string[] {
  const [streams, sequences] = (statement?.parameters ?? [[], []]) as unknown as readonly (readonly string[])[];
  return (streams ?? []).map((stream, index) => `${stream} ${sequences?.[index]}`);
}

beforeEach(() => {
  jest.useFakeTimers();
  told = [];
  failures = [];
  announcer = new CommitAnnouncer(
    (error) => failures.push(error),
    async (statement) => void told.push(...payloads(statement)),
  );
});
afterEach(() => {
  jest.useRealTimers();
});

describe('word of committed events to other processes', () => {
  test('names the newest of each stream', () => {
    const changes = new ChangeSet();
    changes.events.push(eventOf('a', 1), eventOf('b', 7), eventOf('a', 2));
    expect(payloads(announcement([changes]))).toEqual(['a 2', 'b 7']);
  });

  test('is left to the commit that follows, which tells of both', () => {
    const recorded = new ChangeSet();
    recorded.moreFollows = true;
    recorded.events.push(eventOf('a', 1));
    expect(announcement([recorded])).toBeNull();
    announcer.announce(recorded.events, true);
    announcer.announce([eventOf('a', 2)]);
    jest.advanceTimersByTime(MORE_FOLLOWS_MS);
    expect(told).toEqual([]);
  });

  test('goes out by itself when nothing follows in time, once', () => {
    announcer.announce([eventOf('a', 1), eventOf('b', 1)], true);
    announcer.announce([eventOf('b', 2)]);
    jest.advanceTimersByTime(MORE_FOLLOWS_MS - 1);
    expect(told).toEqual([]);
    jest.advanceTimersByTime(MORE_FOLLOWS_MS);
    expect(told).toEqual(['a 1']);
  });

  test('of several that wait is that of the newest', () => {
    announcer.announce([eventOf('a', 1)], true);
    jest.advanceTimersByTime(MORE_FOLLOWS_MS / 2);
    announcer.announce([eventOf('a', 2)], true);
    jest.advanceTimersByTime(MORE_FOLLOWS_MS * 2);
    expect(told).toEqual(['a 2']);
  });

  test('waits no longer because more and more is recorded that waits as well', () => {
    for (let sequence = 1; sequence <= 10; sequence += 1) {
      announcer.announce([eventOf('a', sequence)], true);
      jest.advanceTimersByTime(MORE_FOLLOWS_MS / 2);
    }
    jest.advanceTimersByTime(MORE_FOLLOWS_MS);
    expect(told).toEqual(['a 2', 'a 4', 'a 6', 'a 8', 'a 10']);
  });

  test('reaches listeners of this process at once, and a failure to tell the others is said', async () => {
    const heard: number[] = [];
    const failing = new CommitAnnouncer((error) => failures.push(error), () => Promise.reject(new Error('away')));
    failing.onCommitted((events) => heard.push(...events.map(({ sequence }) => sequence)));
    failing.announce([eventOf('a', 1)], true);
    expect(heard).toEqual([1]);
    await jest.advanceTimersByTimeAsync(MORE_FOLLOWS_MS);
    expect(failures).toEqual([new Error('away')]);
  });
});
