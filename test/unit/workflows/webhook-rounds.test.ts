import { expect, test } from '@jest/globals';
import type { DeliveryRound } from '../../../src/activities/webhook-deliverer';
import { WebhookRounds } from '../../../src/workflows/state/webhook-rounds';

const ROUND: DeliveryRound = { state: 'enabled', url: 'https://example.com/hook', waiting: 2, breakerOpenUntil: null, disabledReason: null, delivered: 3, failed: 1, waitMs: 500 };

test('an operator reads where it delivers, how it went and what waits', () => {
  const rounds = new WebhookRounds();
  expect([rounds.details(), rounds.waitMs, rounds.isDeleted]).toEqual(['begins', 0, false]);
  rounds.end(ROUND);
  rounds.end({ ...ROUND, breakerOpenUntil: '2026-01-01T00:00:30.000Z' });
  expect(rounds.waitMs).toBe(500);
  expect(rounds.details()).toBe('https://example.com/hook: 6 delivered and 2 attempts failed in this run; 2 wait; left alone until 2026-01-01T00:00:30.000Z after failures in a row');
  rounds.end({ ...ROUND, state: 'disabled', disabledReason: 'gone' });
  expect(rounds.details()).toContain('**disabled** (gone): https://example.com/hook');
  rounds.end({ ...ROUND, state: 'disabled' });
  expect(rounds.details()).toContain('by its owner');
  rounds.end({ ...ROUND, state: 'deleted' });
  expect([rounds.isDeleted, rounds.details()]).toEqual([true, expect.stringContaining('deleted; ')]);
});

test('a hint while a round is under way is for the next one', () => {
  const rounds = new WebhookRounds();
  rounds.hint();
  rounds.begin();
  expect(rounds.isHinted).toBe(false);
  rounds.hint();
  rounds.end(ROUND);
  expect(rounds.isHinted).toBe(true);
});
