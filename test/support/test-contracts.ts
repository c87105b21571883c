/** Compiles the contracts of the test kit with solc, once per text: what was compiled is kept in the temporary folder. */
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import type { Abi, Hex } from 'viem';

export interface CompiledContract {
  readonly abi: Abi;
  readonly bytecode: Hex;
}

interface SolcOutput {
  readonly errors?: readonly { readonly severity: string; readonly formattedMessage: string }[];
  readonly contracts: Readonly<Record<string, Readonly<Record<string, { readonly abi: Abi; readonly evm: { readonly bytecode: { readonly object: string } } }>>>>;
}

const FILE = path.join(__dirname, 'contracts', 'test-contracts.sol');

export function testContracts(): { readonly token: CompiledContract; readonly bridge: CompiledContract } {
  const source = readFileSync(FILE, 'utf8');
  const { version } = JSON.parse(readFileSync(require.resolve('solc/package.json'), 'utf8')) as { version: string };
  const kept = path.join(os.tmpdir(), `surefill-contracts-${createHash('sha256').update(`${version}\n${source}`).digest('hex').slice(0, 16)}.json`);
  if (!existsSync(kept)) {
    // Another test process may be at the same: whoever renames last leaves the same text.
    const own = `${kept}.${process.pid}`;
    writeFileSync(own, JSON.stringify(compile(source)));
    renameSync(own, kept);
  }
  return JSON.parse(readFileSync(kept, 'utf8')) as { token: CompiledContract; bridge: CompiledContract };
}

function compile(source: string): { readonly token: CompiledContract; readonly bridge: CompiledContract } {
  // eslint-disable-next-line @typescript-eslint/no-require-imports -- it has no types, and takes a second to load
  const solc = require('solc') as { compile(input: string, callbacks: { import(file: string): { contents: string } }): string };
  const input = { language: 'Solidity', sources: { 'test.sol': { content: source } }, settings: { evmVersion: 'paris', optimizer: { enabled: true, runs: 200 }, outputSelection: { '*': { '*': ['abi', 'evm.bytecode.object'] } } } };
  const output = JSON.parse(solc.compile(JSON.stringify(input), { import: (file) => ({ contents: readFileSync(require.resolve(file), 'utf8') }) })) as SolcOutput;
  const errors = (output.errors ?? []).filter((error) => error.severity === 'error');
  if (errors.length > 0) throw new Error(errors.map((error) => error.formattedMessage).join('\n'));
  const named = (name: string): CompiledContract => {
    const made = output.contracts['test.sol']?.[name];
    if (made === undefined) throw new Error(`solc made no ${name}`);
    return { abi: made.abi, bytecode: `0x${made.evm.bytecode.object}` };
  };
  return { token: named('TestToken'), bridge: named('TestBridge') };
}
