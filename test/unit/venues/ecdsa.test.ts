import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { addressOf, chooseEcdsa, javascriptEcdsa, loadNativeEcdsa, type Ecdsa } from '../../../src/venues/ecdsa';

const RUNS = 1_000;
const key = fc.uint8Array({ minLength: 32, maxLength: 32 }).filter((bytes) => (bytes[0] ?? 0) < 0xff && bytes.some((byte) => byte !== 0));
const digest = fc.uint8Array({ minLength: 32, maxLength: 32 });

describe('signing over secp256k1', () => {
  test('the native library is the one chosen here, and nothing needs to be explained', () => {
    expect(chooseEcdsa()).toMatchObject({ ecdsa: { kind: 'native' }, reason: null });
  });

  test('both implementations give the same bytes for any key and digest', () => {
    const native = loadNativeEcdsa();
    fc.assert(
      fc.property(key, digest, (privateKey, hash) => {
        const [fast, slow] = [native.sign(hash, privateKey), javascriptEcdsa.sign(hash, privateKey)];
        expect([Buffer.from(fast.compact).toString('hex'), fast.recovery]).toEqual([Buffer.from(slow.compact).toString('hex'), slow.recovery]);
        expect(Buffer.from(native.publicKey(privateKey)).equals(javascriptEcdsa.publicKey(privateKey))).toBe(true);
      }),
      { numRuns: RUNS },
    );
  });

  test('without a binding for this platform the JavaScript curve is used, and the reason is told', () => {
    const choice = chooseEcdsa(() => loadNativeEcdsa(() => { throw new Error('no prebuild for this platform'); }));
    expect(choice).toEqual({ ecdsa: javascriptEcdsa, reason: 'no prebuild for this platform' });
  });

  test('a binding that signs differently is not trusted', () => {
    const odd: Ecdsa = { ...javascriptEcdsa, kind: 'native', sign: (hash, privateKey) => javascriptEcdsa.sign(hash.map((byte) => byte ^ 1), privateKey) };
    expect(chooseEcdsa(() => odd)).toMatchObject({ ecdsa: { kind: 'javascript' }, reason: 'it does not give the signature of RFC 6979' });
  });

  test('a signature whose recovery cannot be written as v is refused, and then not chosen', () => {
    const native = { ecdsaSign: () => ({ signature: new Uint8Array(64), recid: 2 }) } as unknown as typeof import('secp256k1');
    expect(chooseEcdsa(() => loadNativeEcdsa(() => native)).reason).toContain('recovery 2');
  });

  test('an address is that of Ethereum', () => {
    const privateKey = Buffer.from('0123456789012345678901234567890123456789012345678901234567890123', 'hex');
    expect(addressOf(privateKey)).toBe('0x14791697260e4c9a71f18484c9f997b308e59325');
    expect(addressOf(privateKey, javascriptEcdsa)).toBe(addressOf(privateKey, loadNativeEcdsa()));
  });
});
