import { describe, expect, test } from '@jest/globals';
import { afterSend, CHANNEL_WAITS_MS, composed, EMAIL_MAX_LENGTH, GIVE_UP_AFTER_MS, isTooOld, oneLine, TELEGRAM_MAX_LENGTH, type ChannelHealth, type ToldAlert } from '../../../src/domain/alert-delivery';
import { at, AT_MS } from './alert-samples';

const alert = (n: number, changes: Partial<ToldAlert> = {}): ToldAlert => ({ id: `alr_${n}`, title: `Alert ${n}`, body: 'What happened.', raisedAt: at(AT_MS), suppressed: 0, ruleName: 'mine', ...changes });

describe('a message', () => {
  test('of one alert is that alert', () => {
    expect(composed([alert(1)], TELEGRAM_MAX_LENGTH)).toEqual({ subject: 'Alert 1', body: `Alert 1\nWhat happened.\n${at(AT_MS)}, rule "mine", alr_1`, count: 1 });
  });

  test('of several says how many, each with its id and what the cooldown kept silent', () => {
    const { subject, body, count } = composed([alert(1), alert(2, { suppressed: 3 })], TELEGRAM_MAX_LENGTH);
    expect([subject, count]).toEqual(['2 alerts', 2]);
    expect(body).toMatch(/^2 alerts\n\nAlert 1\n.*\n.*alr_1\n\nAlert 2\n.*\n3 more like it were kept silent by the cooldown\.\n.*alr_2$/s);
  });

  test('never has a line of a header in its subject, whatever a name holds', () => {
    const { subject, body } = composed([alert(1, { title: 'Up\r\nBcc: everyone@example.com\u2028X', ruleName: 'a\r\n\u0000b' })], EMAIL_MAX_LENGTH);
    expect(subject).toBe('Up Bcc: everyone@example.com X');
    expect(body).toContain('rule "a b"');
    expect(oneLine(' \u0085a\tb ')).toBe('a b');
    expect(composed([alert(1, { title: 'x'.repeat(500) })], EMAIL_MAX_LENGTH).subject).toHaveLength(200);
  });

  test('of one alert that is too long is cut, and of none is a mistake of ours', () => {
    const { body, count } = composed([alert(1, { body: 'y'.repeat(9_000) }), alert(2)], TELEGRAM_MAX_LENGTH);
    expect([body.length, body.endsWith('…'), count]).toEqual([TELEGRAM_MAX_LENGTH, true, 1]);
    expect(() => composed([], TELEGRAM_MAX_LENGTH)).toThrow('needs an alert');
  });
});

describe('an attempt', () => {
  const fresh: ChannelHealth = { failuresInARow: 0, heldUntilMs: null };
  const after = (outcome: Parameters<typeof afterSend>[1], { channel = fresh, ageMs = 0, chance = 0.5 } = {}): ReturnType<typeof afterSend> => afterSend(channel, outcome, AT_MS - ageMs, AT_MS, chance);

  test('that arrived, or never will, leaves the channel unharmed', () => {
    const failed = { failuresInARow: 3, heldUntilMs: AT_MS };
    expect(after({ kind: 'delivered', externalId: '7' }, { channel: failed })).toEqual({ status: 'delivered', channel: fresh, disabled: null });
    expect(after({ kind: 'refused', message: 'too big' }, { channel: failed })).toEqual({ status: 'exhausted', channel: fresh, disabled: null });
  });

  test.each(CHANNEL_WAITS_MS.map((waitMs, failures) => [failures, waitMs] as const))('that fails after %i failures is followed by a wait of %i ms, give or take a fifth', (failuresInARow, waitMs) => {
    const waits = [0, 0.5, 0.999_999].map((chance) => (after({ kind: 'retry', message: 'away' }, { channel: { failuresInARow, heldUntilMs: null }, chance }).channel.heldUntilMs ?? 0) - AT_MS);
    expect(waits).toEqual([waitMs * 0.8, waitMs, Math.round(waitMs * (0.8 + 0.4 * 0.999_999))]);
  });

  test('that fails for the tenth time waits no longer than the longest', () => {
    expect(after({ kind: 'retry', message: 'away' }, { channel: { failuresInARow: 9, heldUntilMs: null } }).channel).toEqual({ failuresInARow: 10, heldUntilMs: AT_MS + 1_800_000 });
  });

  test('that was told to pause pauses for all of it, and no failure is counted', () => {
    expect(after({ kind: 'paused', waitMs: 3_700_000, message: 'flood' })).toEqual({ status: 'pending', channel: { failuresInARow: 0, heldUntilMs: AT_MS + 3_700_000 }, disabled: null });
    expect(after({ kind: 'paused', waitMs: 0, message: 'flood' }).channel.heldUntilMs).toBe(AT_MS + 1_000);
    expect(after({ kind: 'paused', waitMs: 1e12, message: 'flood' }).channel.heldUntilMs).toBe(AT_MS + 86_400_000);
  });

  test('that was cut by our end, or met a chat that moved, is due at once; one that was shut out waits for its owner', () => {
    expect(after({ kind: 'interrupted' }, { channel: { failuresInARow: 2, heldUntilMs: AT_MS + 9 } })).toEqual({ status: 'pending', channel: { failuresInARow: 2, heldUntilMs: null }, disabled: null });
    expect(after({ kind: 'moved', target: '-100', message: '' })).toEqual({ status: 'pending', channel: fresh, disabled: null });
    expect(after({ kind: 'disable', reason: 'blocked', message: '' })).toEqual({ status: 'pending', channel: fresh, disabled: 'blocked' });
  });

  test('is the last one after three days', () => {
    for (const kind of ['retry', 'paused'] as const) {
      const outcome = kind === 'retry' ? ({ kind, message: 'away' } as const) : ({ kind, waitMs: 5, message: 'away' } as const);
      expect([GIVE_UP_AFTER_MS - 1, GIVE_UP_AFTER_MS].map((ageMs) => after(outcome, { ageMs }).status)).toEqual(['pending', 'exhausted']);
    }
    expect(isTooOld(AT_MS, AT_MS + GIVE_UP_AFTER_MS)).toBe(true);
  });
});
