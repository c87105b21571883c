/** Privy behind the signer port, against a server that recomputes the authorization signature from what arrives. */
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { parseTransaction, recoverTransactionAddress, recoverTypedDataAddress, type TransactionSerialized } from 'viem';
import { PrivySigner, type KnownWallet } from '../../../src/chains/privy-signer';
import { canonicalJson, signedPayload } from '../../../src/chains/privy-authorization';
import { typedDataOf } from '../../../src/chains/typed-data';
import type { TypedMessage } from '../../../src/domain/wallet-signer';
import type { UnsignedTransaction } from '../../../src/domain/chain-send';
import type { Hex } from '../../../src/domain/deposit';
import { PRIVY_APP, PrivySimulator, type ReceivedRequest } from '../../support/privy-simulator';

const TARGET: Hex = '0xaf88d065e77c8cc2239327c5edb3a432268e5831';
let privy: PrivySimulator;
let url = '';
let book: Map<string, KnownWallet>;

beforeEach(async () => {
  privy = new PrivySimulator();
  url = await privy.start();
  book = new Map();
});
afterEach(() => privy.stop());

function signer(): PrivySigner {
  return new PrivySigner({
    ...PRIVY_APP, url, authorizationKey: privy.authorizationKey, timeoutMs: 5_000,
    book: {
      walletOf: async (userId) => book.get(userId) ?? null,
      keepWallet: async (userId, wallet) => {
        if (!book.has(userId)) book.set(userId, wallet);
        return book.get(userId) ?? wallet;
      },
    },
  });
}

async function transactionOf(userId: string, changes: Partial<UnsignedTransaction> = {}): Promise<UnsignedTransaction> {
  return { chainId: 42_161, from: await signer().addressOf(userId), to: TARGET, data: '0xa9059cbb', value: '0', nonce: 7, gas: '90000', maxFeePerGas: '20000000', maxPriorityFeePerGas: '1', ...changes };
}

const sign = async (changes: Partial<UnsignedTransaction> = {}, idempotencyKey = 'withdrawal/1/7/1') => signer().sign({ userId: 'ada', transaction: await transactionOf('ada', changes), idempotencyKey });

describe('a wallet', () => {
  test('is made once a user, under our owner and our policy, and stays theirs', async () => {
    const [ada, again, bob] = [await signer().addressOf('ada'), await signer().addressOf('ada'), await signer().addressOf('bob')];
    expect(again).toBe(ada);
    expect(bob).not.toBe(ada);
    expect(privy.received).toHaveLength(2);
    expect(JSON.parse(privy.received[0]?.body ?? '')).toEqual({ chain_type: 'ethereum', owner_id: PRIVY_APP.ownerId, policy_ids: [PRIVY_APP.policyId] });
  });

  test('whose answer was lost is asked for again under the same key, and is the same wallet', async () => {
    privy.faults.loseAnswers = 1;
    await expect(signer().addressOf('ada')).rejects.toMatchObject({ code: 'SERVICE_UNAVAILABLE', outcome: 'unknown' });
    const address = await signer().addressOf('ada');
    book.clear();
    expect(await signer().addressOf('ada')).toBe(address);
    expect(new Set(privy.received.map(({ headers }) => headers['privy-idempotency-key']))).toEqual(new Set(['wallet/ada']));
  });

  test('without the policy is not used', async () => {
    privy.faults.noPolicy = true;
    await expect(signer().addressOf('ada')).rejects.toMatchObject({ code: 'FORBIDDEN' });
    expect(book.size).toBe(0);
  });
});

describe('a signature', () => {
  test('is of exactly the transaction that was asked for, by the wallet\'s own key', async () => {
    const { bytes, hash } = await sign();
    expect(parseTransaction(bytes)).toMatchObject({ chainId: 42_161, nonce: 7, to: TARGET, data: '0xa9059cbb', gas: 90_000n, maxFeePerGas: 20_000_000n });
    expect((await recoverTransactionAddress({ serializedTransaction: bytes as TransactionSerialized<'eip1559'> })).toLowerCase()).toBe(await signer().addressOf('ada'));
    expect(hash).toMatch(/^0x[0-9a-f]{64}$/);
  });

  test('that is asked for again is the same, made once, also when the first answer was lost', async () => {
    const first = await sign();
    privy.faults.loseAnswers = 1;
    await expect(sign()).rejects.toMatchObject({ code: 'SERVICE_UNAVAILABLE', outcome: 'unknown', details: { signer: true } });
    expect(await sign()).toEqual(first);
    expect(privy.signed).toBe(1);
  });

  test('of something else under the same key is refused', async () => {
    await sign();
    await expect(sign({ value: '1' })).rejects.toMatchObject({ code: 'FORBIDDEN' });
  });

  test('is refused by the policy in words, and nothing is signed', async () => {
    privy.allowedTargets = new Set(['0x0000000000000000000000000000000000000001']);
    await expect(sign()).rejects.toMatchObject({ code: 'FORBIDDEN', message: expect.stringContaining('policy_violation') });
    expect(privy.signed).toBe(0);
  });

  test.each([429, 500] as const)('is asked for again later where Privy answers %s', async (http) => {
    await signer().addressOf('ada');
    privy.faults.http = http;
    await expect(sign()).rejects.toMatchObject({ code: 'SERVICE_UNAVAILABLE', details: { signer: true } });
  });

  test('of another transaction, or by another key, is not taken from anybody', async () => {
    privy.faults.signs = (asked) => ({ ...asked, to: '0x000000000000000000000000000000000000dead' });
    await expect(sign()).rejects.toMatchObject({ code: 'FORBIDDEN', message: expect.stringContaining('another transaction') });
    Object.assign(privy.faults, { signs: null, foreignKey: true });
    await expect(sign({}, 'withdrawal/2/7/1')).rejects.toMatchObject({ code: 'FORBIDDEN', message: expect.stringContaining('another key') });
  });

  test('of another user\'s wallet is never asked for', async () => {
    const transaction = await transactionOf('ada');
    const before = privy.received.length;
    await signer().addressOf('bob');
    await expect(signer().sign({ userId: 'bob', transaction, idempotencyKey: 'x' })).rejects.toThrow('not the wallet of user bob');
    expect(privy.received).toHaveLength(before + 1);
  });
});

describe('a signed message', () => {
  const message: TypedMessage = {
    domain: { name: 'HyperliquidSignTransaction', version: '1', chainId: 421_614, verifyingContract: '0x0000000000000000000000000000000000000000' },
    primaryType: 'HyperliquidTransaction:Withdraw',
    fields: [{ name: 'hyperliquidChain', type: 'string' }, { name: 'destination', type: 'string' }, { name: 'amount', type: 'string' }, { name: 'time', type: 'uint64' }],
    message: { hyperliquidChain: 'Mainnet', destination: TARGET, amount: '99', time: 1_700_000_000_000 },
  };
  const signMessage = async (idempotencyKey = 'venue-exit/d-1/7', changes: Partial<TypedMessage> = {}) => signer().signMessage({ userId: 'ada', from: await signer().addressOf('ada'), message: { ...message, ...changes }, idempotencyKey });

  test('is of exactly what was asked for, by the wallet\'s own key, made once however often it is asked for', async () => {
    privy.faults.loseAnswers = 0;
    const signature = await signMessage();
    expect((await recoverTypedDataAddress({ ...typedDataOf(message), signature })).toLowerCase()).toBe(await signer().addressOf('ada'));
    privy.faults.loseAnswers = 1;
    await expect(signMessage()).rejects.toMatchObject({ code: 'SERVICE_UNAVAILABLE', outcome: 'unknown' });
    expect([await signMessage(), privy.signed]).toEqual([signature, 1]);
  });

  test('is refused by the policy in words, and under a key that another message has', async () => {
    await signMessage();
    await expect(signMessage('venue-exit/d-1/7', { message: { ...message.message, amount: '100' } })).rejects.toMatchObject({ code: 'FORBIDDEN' });
    privy.allowedMessages = new Set(['HyperliquidTransaction:UsdSend']);
    await expect(signMessage('venue-exit/d-2/8')).rejects.toMatchObject({ code: 'FORBIDDEN', message: expect.stringContaining('policy_violation') });
    expect(privy.signed).toBe(1);
  });

  test('of something else, or by another key, is not taken from anybody', async () => {
    privy.faults.signs = (asked) => ({ ...asked, destination: '0x000000000000000000000000000000000000dead' });
    await expect(signMessage()).rejects.toMatchObject({ code: 'FORBIDDEN', message: expect.stringContaining('something else') });
    Object.assign(privy.faults, { signs: null, foreignKey: true });
    await expect(signMessage('venue-exit/d-2/8')).rejects.toMatchObject({ code: 'FORBIDDEN' });
  });

  test('does not leave when one byte of its request is another', async () => {
    await signer().addressOf('ada');
    privy.faults.tamper = (request) => ({ ...request, body: request.body.replace('"amount":"99"', '"amount":"98"') });
    await expect(signMessage()).rejects.toMatchObject({ code: 'FORBIDDEN', message: expect.stringMatching(/401/) });
    expect(privy.signed).toBe(0);
  });
});

describe('the authorization signature', () => {
  const changedAt = (text: string, at: number): string => `${text.slice(0, at)}${String.fromCharCode(text.charCodeAt(at) ^ 1)}${text.slice(at + 1)}`;
  const tampered: readonly (readonly [string, (request: ReceivedRequest) => ReceivedRequest])[] = [
    ['the receiver', (request) => ({ ...request, body: changedAt(request.body, request.body.indexOf(TARGET.slice(2))) })],
    ['the nonce', (request) => ({ ...request, body: changedAt(request.body, request.body.indexOf('"nonce":7') + '"nonce":'.length) })],
    ['the method', (request) => ({ ...request, body: changedAt(request.body, request.body.indexOf('eth_sign')) })],
    ['the wallet', (request) => ({ ...request, url: changedAt(request.url, request.url.indexOf('wallet-1') + 'wallet-'.length) })],
    ['the idempotency key', (request) => ({ ...request, headers: { ...request.headers, 'privy-idempotency-key': changedAt(request.headers['privy-idempotency-key'] ?? '', 0) } })],
    ['an added header', (request) => ({ ...request, headers: { ...request.headers, 'privy-request-expiry': '1' } })],
    ['the signature', (request) => ({ ...request, headers: { ...request.headers, 'privy-authorization-signature': changedAt(request.headers['privy-authorization-signature'] ?? '', 20) } })],
  ];

  test.each(tampered)('does not hold when one byte is another: %s', async (_what, tamper) => {
    await signer().addressOf('ada');
    privy.faults.tamper = tamper;
    await expect(sign()).rejects.toMatchObject({ code: 'FORBIDDEN', message: expect.stringMatching(/401/) });
    expect(privy.signed).toBe(0);
    privy.faults.tamper = null;
    await sign();
    expect(privy.signed).toBe(1);
  });

  test('does not hold when any one byte of the body is another', async () => {
    await sign();
    const { length } = privy.received.at(-1)?.body ?? '';
    expect(length).toBeGreaterThan(200);
    for (let at = 0; at < length; at += 1) {
      privy.faults.tamper = (request) => ({ ...request, body: changedAt(request.body, at) });
      await expect(sign()).rejects.toMatchObject({ code: 'FORBIDDEN' });
    }
    expect(privy.signed).toBe(1);
  });

  test('covers the canonical text of the document: sorted at every depth, nothing between', () => {
    const request = { method: 'POST', url: 'https://api.privy.io/v1/wallets/w/rpc', body: { params: { b: 2, a: ['x', { d: null, c: true }] }, method: 'm' }, headers: { 'privy-idempotency-key': 'k', 'privy-app-id': 'a' } } as const;
    expect(signedPayload(request)).toBe('{"body":{"method":"m","params":{"a":["x",{"c":true,"d":null}],"b":2}},"headers":{"privy-app-id":"a","privy-idempotency-key":"k"},"method":"POST","url":"https://api.privy.io/v1/wallets/w/rpc","version":1}');
    expect(() => canonicalJson(0.1)).toThrow(RangeError);
    expect(canonicalJson('\u20ac"\\\n')).toBe('"€\\"\\\\\\n"');
  });
});
