/**
 * Privy's server as our signer meets it: makes wallets, signs transactions, and does so only for a request whose authorization signature
 * it recomputes from what arrived. It keeps the keys that are never in our process.
 */
import { createPublicKey, generateKeyPairSync, verify, type KeyObject } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Hex } from 'viem';
import { generatePrivateKey, privateKeyToAccount } from 'viem/accounts';

export const PRIVY_APP = { appId: 'app-of-the-tests', appSecret: 'secret of the tests', ownerId: 'owner-quorum', policyId: 'policy-of-withdrawals' } as const;

export interface PrivyFaults {
  /** What reaches the server is not what was sent: the request is changed on its way. */
  tamper: null | ((request: ReceivedRequest) => ReceivedRequest);
  /** The next so many requests are done and not answered. */
  loseAnswers: number;
  http: null | 429 | 500;
  /** It signs something else than it was asked for. */
  signs: null | ((transaction: Record<string, unknown>) => Record<string, unknown>);
  /** It signs with another key. */
  foreignKey: boolean;
  /** New wallets have no policy. */
  noPolicy: boolean;
}

export interface ReceivedRequest {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

interface TypedData {
  readonly domain: Record<string, unknown>;
  readonly types: Record<string, readonly { name: string; type: string }[]>;
  readonly primary_type: string;
  readonly message: Record<string, unknown>;
}

export class PrivySimulator {
  readonly faults: PrivyFaults = { tamper: null, loseAnswers: 0, http: null, signs: null, foreignKey: false, noPolicy: false };
  /** Receivers that the policy lets transactions go to; null: any. */
  allowedTargets: ReadonlySet<string> | null = null;
  /** Primary types of messages that the policy lets wallets sign; null: any. */
  allowedMessages: ReadonlySet<string> | null = null;
  readonly received: ReceivedRequest[] = [];
  /** PKCS #8, base64, as the dashboard gives it once. */
  readonly authorizationKey: string;
  /** Signatures that were made, each once. */
  signed = 0;
  private readonly publicKey: KeyObject;
  private readonly wallets = new Map<string, Hex>();
  private readonly answers = new Map<string, { readonly body: string; readonly answer: [number, object] }>();
  private base = '';
  private readonly server = createServer((request, response) => void this.serve(request, response));

  constructor() {
    const pair = generateKeyPairSync('ec', { namedCurve: 'prime256v1' });
    this.authorizationKey = `wallet-auth:${pair.privateKey.export({ format: 'der', type: 'pkcs8' }).toString('base64')}`;
    this.publicKey = createPublicKey(pair.privateKey);
  }

  async start(): Promise<string> {
    this.server.listen(0, '127.0.0.1');
    await once(this.server, 'listening');
    this.base = `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
    return this.base;
  }

  async stop(): Promise<void> {
    this.server.closeAllConnections();
    const closed = once(this.server, 'close');
    this.server.close();
    await closed;
  }

  private async serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const headers = Object.fromEntries(Object.entries(request.headers).map(([name, value]) => [name, String(value)]));
    const sent: ReceivedRequest = { url: `${this.base}${request.url ?? ''}`, headers, body: Buffer.concat(chunks).toString('utf8') };
    this.received.push(sent);
    const [status, answer] = this.faults.http === null ? await this.answerTo(this.faults.tamper === null ? sent : this.faults.tamper(sent)) : [this.faults.http, { error: 'as told by the test' }];
    if (this.faults.loseAnswers > 0) {
      this.faults.loseAnswers -= 1;
      response.destroy();
      return;
    }
    response.writeHead(status, { 'content-type': 'application/json' });
    response.end(JSON.stringify(answer));
  }

  private async answerTo(request: ReceivedRequest): Promise<[number, object]> {
    const { headers, url, body } = request;
    const basic = `Basic ${Buffer.from(`${PRIVY_APP.appId}:${PRIVY_APP.appSecret}`).toString('base64')}`;
    if (headers['authorization'] !== basic || headers['privy-app-id'] !== PRIVY_APP.appId) return [401, { error: 'Invalid app ID or app secret.' }];
    if (!this.isAuthorized(request)) return [401, { error: 'No valid authorization signatures', code: 'invalid_signature' }];
    const key = headers['privy-idempotency-key'];
    const earlier = key === undefined ? undefined : this.answers.get(key);
    if (earlier !== undefined) return earlier.body === body ? earlier.answer : [400, { error: 'Idempotency key was used with another body' }];
    const answer = await this.act(new URL(url).pathname, JSON.parse(body) as Record<string, unknown>);
    if (key !== undefined && answer[0] === 200) this.answers.set(key, { body, answer });
    return answer;
  }

  /** By the document's words, from what arrived: version, method, url, body and the privy- headers but the signature, sorted, signed. */
  private isAuthorized({ url, headers, body }: ReceivedRequest): boolean {
    const signature = headers['privy-authorization-signature'];
    if (signature === undefined) return false;
    const privy = Object.fromEntries(Object.entries(headers).filter(([name]) => name.startsWith('privy-') && name !== 'privy-authorization-signature'));
    let parsed: unknown;
    try {
      parsed = JSON.parse(body);
    } catch {
      return false;
    }
    const payload = JSON.stringify(inOrder({ version: 1, method: 'POST', url, body: parsed, headers: privy }));
    return verify('sha256', Buffer.from(payload), { key: this.publicKey, dsaEncoding: 'der' }, Buffer.from(signature, 'base64'));
  }

  private async act(path: string, body: Record<string, unknown>): Promise<[number, object]> {
    if (path === '/v1/wallets') {
      const id = `wallet-${this.wallets.size + 1}`;
      const secret = generatePrivateKey();
      this.wallets.set(id, secret);
      return [200, { id, address: privateKeyToAccount(secret).address, chain_type: body['chain_type'], policy_ids: this.faults.noPolicy ? [] : body['policy_ids'], owner_id: body['owner_id'] }];
    }
    const secret = this.wallets.get(/^\/v1\/wallets\/([^/]+)\/rpc$/.exec(path)?.[1] ?? '');
    if (secret === undefined) return [404, { error: 'Wallet not found' }];
    if (body['method'] === 'eth_signTypedData_v4') return this.signMessage(secret, (body['params'] as { typed_data: TypedData }).typed_data);
    if (body['method'] !== 'eth_signTransaction') return [400, { error: 'method not supported here' }];
    const asked = (body['params'] as { transaction: Record<string, unknown> }).transaction;
    if (this.allowedTargets !== null && !this.allowedTargets.has(String(asked['to']))) return [400, { error: 'RPC request denied due to policy violation', code: 'policy_violation' }];
    const to = this.faults.signs === null ? asked : this.faults.signs(asked);
    const account = privateKeyToAccount(this.faults.foreignKey ? generatePrivateKey() : secret);
    const signed_transaction = await account.signTransaction({
      type: 'eip1559', chainId: Number(to['chain_id']), to: to['to'] as Hex, data: to['data'] as Hex, value: BigInt(String(to['value'])), nonce: Number(to['nonce']),
      gas: BigInt(String(to['gas_limit'])), maxFeePerGas: BigInt(String(to['max_fee_per_gas'])), maxPriorityFeePerGas: BigInt(String(to['max_priority_fee_per_gas'])),
    });
    this.signed += 1;
    return [200, { method: 'eth_signTransaction', data: { signed_transaction, encoding: 'rlp' } }];
  }

  /** By the document's words: the primary type is told in snake case. */
  private async signMessage(secret: Hex, asked: TypedData): Promise<[number, object]> {
    if (this.allowedMessages !== null && !this.allowedMessages.has(asked.primary_type)) return [400, { error: 'RPC request denied due to policy violation', code: 'policy_violation' }];
    const message = this.faults.signs === null ? asked.message : this.faults.signs(asked.message);
    const account = privateKeyToAccount(this.faults.foreignKey ? generatePrivateKey() : secret);
    const signature = await account.signTypedData({ domain: asked.domain, types: asked.types, primaryType: asked.primary_type, message });
    this.signed += 1;
    return [200, { method: 'eth_signTypedData_v4', data: { signature, encoding: 'hex' } }];
  }
}

/** Every object's keys in order, at every depth. */
function inOrder(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(inOrder);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.keys(value).sort().map((key) => [key, inOrder((value as Record<string, unknown>)[key])]));
}
