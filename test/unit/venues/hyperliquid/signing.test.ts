import { describe, expect, test } from '@jest/globals';
import { signL1Action, signUserSignedAction } from '@nktkas/hyperliquid/signing';
import fc from 'fast-check';
import { privateKeyToAccount } from 'viem/accounts';
import { javascriptEcdsa, loadNativeEcdsa, type Address } from '../../../../src/venues/ecdsa';
import { actionHash, packAction, signAction, signUserAction, wireDecimal, type HyperliquidNetwork, type UserActionType } from '../../../../src/venues/hyperliquid/signing';
import vectors from '../../../vectors/hyperliquid.json';

interface VectorBody {
  readonly action: Readonly<Record<string, unknown>>;
  readonly nonce: number;
  readonly signature: { readonly r: string; readonly s: string; readonly v: number };
}
interface Vector {
  readonly name: string;
  readonly network: string;
  readonly vaultAddress: string | null;
  readonly expiresAfter: number | null;
  readonly body: VectorBody;
  readonly msgpack_hex?: string;
  readonly action_hash?: string;
}

const CASES = vectors.cases as readonly Vector[];
const privateKey = Buffer.from(vectors.private_key.slice(2), 'hex');
const USER_ACTIONS: Readonly<Record<string, UserActionType>> = { usdClassTransfer: 'HyperliquidTransaction:UsdClassTransfer', sendAsset: 'HyperliquidTransaction:SendAsset' };

/** The SDK writes r and s without leading zeros. */
const numbers = ({ r, s, v }: VectorBody['signature']): readonly [bigint, bigint, number] => [BigInt(r), BigInt(s), v];
const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');

describe('signing as the official SDK does', () => {
  test('there are 34 vectors', () => expect(CASES).toHaveLength(34));

  describe.each([loadNativeEcdsa(), javascriptEcdsa])('with the $kind curve', (ecdsa) => {
    test.each(CASES)('$name on $network', (vector) => {
      const { action, nonce, signature } = vector.body;
      const signer = { privateKey, network: vector.network as HyperliquidNetwork, ecdsa };
      const type = USER_ACTIONS[String(action['type'])];
      if (type !== undefined) {
        expect(numbers(signUserAction(type, action, signer))).toEqual(numbers(signature));
        return;
      }
      const context = { nonce, vaultAddress: vector.vaultAddress as Address | null, expiresAfterMs: vector.expiresAfter };
      expect(hex(packAction(action))).toBe(vector.msgpack_hex);
      expect(`0x${hex(actionHash(action, context))}`).toBe(vector.action_hash);
      expect(numbers(signAction(action, context, signer))).toEqual(numbers(signature));
    });
  });
});

const RUNS = 1_000;
const address = fc.uint8Array({ minLength: 20, maxLength: 20 }).map((bytes): Address => `0x${hex(bytes)}`);
const cloid = fc.uint8Array({ minLength: 16, maxLength: 16 }).map((bytes) => `0x${hex(bytes)}`);
const wire = fc.tuple(fc.nat(9_999_999), fc.nat(99_999_999)).map(([whole, part]) => wireDecimal(`${whole}.${String(part).padStart(8, '0')}`));
const order = fc
  .record({ a: fc.nat(140_000), b: fc.boolean(), p: wire, s: wire, r: fc.boolean(), t: fc.constantFrom({ limit: { tif: 'Gtc' } }, { limit: { tif: 'Ioc' } }, { trigger: { isMarket: true, triggerPx: '103', tpsl: 'sl' } }), c: cloid })
  .chain((full) => fc.boolean().map((withCloid) => (withCloid ? full : { a: full.a, b: full.b, p: full.p, s: full.s, r: full.r, t: full.t })));
const action = fc.oneof(
  fc.record({ type: fc.constant('order'), orders: fc.array(order, { minLength: 1, maxLength: 20 }), grouping: fc.constantFrom('na', 'normalTpsl', 'positionTpsl') }, { noNullPrototype: true }),
  fc.record({ type: fc.constant('cancel'), cancels: fc.array(fc.record({ a: fc.nat(140_000), o: fc.nat({ max: 0xffff_ffff }) }, { noNullPrototype: true }), { minLength: 1, maxLength: 40 }) }, { noNullPrototype: true }),
  fc.record({ type: fc.constant('scheduleCancel'), time: fc.integer({ min: 0x1_0000_0000, max: 4_000_000_000_000 }) }, { noNullPrototype: true }),
  fc.record({ type: fc.constant('updateIsolatedMargin'), asset: fc.nat(200), isBuy: fc.boolean(), ntli: fc.integer() }, { noNullPrototype: true }),
);
const context = fc.record({ nonce: fc.integer({ min: 1, max: 4_000_000_000_000 }), vaultAddress: fc.option(address), expiresAfterMs: fc.option(fc.integer({ min: 1, max: 4_000_000_000_000 })) });

describe('signing as an independent library does', () => {
  const wallet = privateKeyToAccount(vectors.private_key as Address);

  test('any action, nonce, vault and deadline', async () => {
    await fc.assert(
      fc.asyncProperty(action, context, fc.constantFrom<HyperliquidNetwork>('mainnet', 'testnet'), async (signed, around, network) => {
        const theirs = await signL1Action({
          wallet, action: signed, nonce: around.nonce, isTestnet: network === 'testnet',
          ...(around.vaultAddress === null ? {} : { vaultAddress: around.vaultAddress }),
          ...(around.expiresAfterMs === null ? {} : { expiresAfter: around.expiresAfterMs }),
        });
        expect(numbers(signAction(signed, around, { privateKey, network }))).toEqual(numbers(theirs));
      }),
      { numRuns: RUNS },
    );
  }, 120_000);

  test('a transfer between dexes', async () => {
    const transfer = { type: 'sendAsset', destination: vectors.address.toLowerCase(), sourceDex: '', destinationDex: 'xyz', token: 'USDC:0x6d1e7cde53ba9467b783cb7c530ce054', amount: '12.5', fromSubAccount: '', nonce: 1_700_000_000_001, signatureChainId: '0x66eee' as const, hyperliquidChain: 'Mainnet' };
    const types = { 'HyperliquidTransaction:SendAsset': ['hyperliquidChain', 'destination', 'sourceDex', 'destinationDex', 'token', 'amount', 'fromSubAccount'].map((name) => ({ name, type: 'string' })).concat({ name: 'nonce', type: 'uint64' }) };
    const theirs = await signUserSignedAction({ wallet, action: transfer, types });
    expect(numbers(signUserAction('HyperliquidTransaction:SendAsset', transfer, { privateKey, network: 'mainnet' }))).toEqual(numbers(theirs));
  });

  test('one changed byte of an action is another signature', () => {
    const around = { nonce: 1, vaultAddress: null, expiresAfterMs: null };
    const signed = { type: 'cancel', cancels: [{ a: 1, o: 2 }] };
    const signer = { privateKey, network: 'mainnet' as const };
    const seen = new Set([signed, { type: 'cancel', cancels: [{ o: 2, a: 1 }] }, { type: 'cancel', cancels: [{ a: 1, o: 3 }] }].map((each) => signAction(each, around, signer).r));
    expect(seen.size).toBe(3);
  });
});

describe('what cannot be signed is said', () => {
  const signer = { privateKey, network: 'mainnet' as const };
  const transfer = { amount: '1', toPerp: true, nonce: 1, signatureChainId: '0x66eee', hyperliquidChain: 'Mainnet' };
  test.each([
    ['amount', 5, 'amount must be a text'],
    ['toPerp', 'yes', 'toPerp must be true or false'],
    ['nonce', -1, 'nonce must be a whole number'],
    ['signatureChainId', undefined, 'signatureChainId must be a text'],
  ])('%s of a transfer', (name, value, message) => {
    expect(() => signUserAction('HyperliquidTransaction:UsdClassTransfer', { ...transfer, [name]: value }, signer)).toThrow(new TypeError(message));
  });

  test('numbers are written as the SDK writes them, and never rounded', () => {
    for (const [given, written] of Object.entries(vectors.float_to_wire)) if (!given.includes('e')) expect(wireDecimal(given)).toBe(written);
    expect(wireDecimal('0.00000001')).toBe('0.00000001');
    expect(() => wireDecimal('0.000000001')).toThrow('more than 8 decimals');
  });
});
