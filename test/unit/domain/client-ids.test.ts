import { createHash } from 'node:crypto';
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { venueClientId, type Sha256Hex, type VenueClientIdParts } from '../../../src/domain/client-ids';

const sha256Hex: Sha256Hex = (text) => createHash('sha256').update(text).digest('hex');
const parts: VenueClientIdParts = { accountId: 'a1', clientOrderId: 'c1', leg: 0, child: 0, revision: 0 };

describe('the id a venue is told', () => {
  test('is for ever the same for one intent: this very value must never change, or a restart would double orders', () => {
    expect(venueClientId(parts, sha256Hex)).toBe(sha256Hex('["surefill","a1","c1",0,0,0]').slice(0, 32));
    expect(venueClientId({ ...parts }, sha256Hex)).toMatch(/^[0-9a-f]{32}$/);
  });

  test.each([{ accountId: 'a2' }, { clientOrderId: 'c2' }, { leg: 1 }, { child: 1 }, { revision: 1 }])('is another with %j', (change) => {
    expect(venueClientId({ ...parts, ...change }, sha256Hex)).not.toBe(venueClientId(parts, sha256Hex));
  });

  test('is never shared by two intents, however their ids are cut', () => {
    const id = fc.string({ unit: fc.constantFrom('a', '1', '.', '-', '"', ',', '0'), minLength: 1, maxLength: 6 });
    const intent = fc.record({ accountId: id, clientOrderId: id, leg: fc.nat(12), child: fc.nat(12), revision: fc.nat(12) });
    const distinct = (of: typeof venueClientId) =>
      fc.property(intent, intent, (one, other) => {
        const same = JSON.stringify(Object.values(one)) === JSON.stringify(Object.values(other));
        return (of(one, sha256Hex) === of(other, sha256Hex)) === same;
      });
    fc.assert(distinct(venueClientId), { numRuns: 2_000 });
    const glued: typeof venueClientId = ({ accountId, clientOrderId, leg, child, revision }, hash) => hash([accountId, clientOrderId, leg, child, revision].join('')).slice(0, 32);
    const close = fc.record({ accountId: fc.constantFrom('a', 'a1'), clientOrderId: fc.constantFrom('1', '11'), leg: fc.nat(1), child: fc.nat(1), revision: fc.nat(1) });
    const distinctClose = (of: typeof venueClientId) => fc.property(close, close, (one, other) => (of(one, sha256Hex) === of(other, sha256Hex)) === (JSON.stringify(one) === JSON.stringify(other)));
    fc.assert(distinctClose(venueClientId), { numRuns: 2_000 });
    expect(fc.check(distinctClose(glued), { numRuns: 2_000, seed: 1 }).failed).toBe(true);
  });
});
