/** What a transaction cost, as each kind of chain tells it. */
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { EvmChain } from '../../../src/chains/evm-chain';

const HASH = `0x${'a1'.repeat(32)}` as const;
const hex = (value: bigint): string => `0x${value.toString(16)}`;

let server: Server;
let told: Record<string, unknown> = {};
beforeAll(async () => {
  server = createServer((request, response) => {
    let text = '';
    request.on('data', (part: Buffer) => (text += part.toString()));
    request.on('end', () => {
      const { id, method } = JSON.parse(text) as { id: number; method: string };
      const receipt = { transactionHash: HASH, blockHash: HASH, blockNumber: '0x7', from: `0x${'01'.repeat(20)}`, to: null, status: '0x1', type: '0x2', transactionIndex: '0x0', cumulativeGasUsed: '0x0', contractAddress: null, logs: [], logsBloom: '0x', gasUsed: hex(100_000n), effectiveGasPrice: hex(1_000_000_000n), ...told };
      response.setHeader('content-type', 'application/json').end(JSON.stringify({ jsonrpc: '2.0', id, result: method === 'eth_getTransactionReceipt' ? receipt : method === 'eth_chainId' ? '0x1' : null }));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
});
afterAll(() => new Promise((resolve) => server.close(resolve)));

test.each([
  ['a chain that is nobody\'s second layer', {}, '0.0001', null],
  ['the OP stack, which charges the layer below beside the gas', { l1Fee: hex(50_000_000_000_000n) }, '0.00015', '0.00005'],
  ['Arbitrum, whose gas holds it', { gasUsedForL1: hex(40_000n) }, '0.0001', '0.00004'],
])('of %s', async (_what, fields, gasFee, l1Fee) => {
  told = fields;
  const chain = new EvmChain({ id: 1, name: 'chain', confirmations: 1, rpcUrls: [`http://127.0.0.1:${(server.address() as AddressInfo).port}`] });
  expect(await chain.receipt(HASH)).toMatchObject({ succeeded: true, gasFee, l1Fee });
});
