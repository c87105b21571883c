import { expect, test } from '@jest/globals';
import { redacted } from '../../../src/delivery/redaction';

test.each([
  ['authorization: Bearer abcdef.ghi', 'abcdef'],
  ['the secret whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw was wrong', 'MfKQ9r8'],
  ['{"apiKey": "hunter2hunter2", "ok": true}', 'hunter2'],
  ['password=hunter2&x=1', 'hunter2'],
  ['token eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.dBjftJeZ4CVP', 'eyJzdWIi'],
  ['expected v1,K5oZfzN95Z9UVu1EsfQmfVNQhnkZ2pj9o9NDN/H/pI4=', 'K5oZfzN'],
  ['sf_0123456789abcdefgh is unknown', '0123456789'],
  ['user alice@example.com', 'alice@'],
])('what looks like a secret is not kept: %s', (text, secret) => {
  expect(redacted(text)).not.toContain(secret);
  expect(redacted(text)).toContain('[redacted]');
});

test('other words stay as they came, without what PostgreSQL cannot keep', () => {
  expect(redacted('order 7 not found\u0000: {"code": 404}')).toBe('order 7 not found: {"code": 404}');
});
