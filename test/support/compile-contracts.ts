/** What solc makes of the simulated contracts; run by itself, writes src/simulator/chains/contracts/compiled.json. */
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import type { Abi } from 'viem';
import { CONTRACTS_FOLDER, type CompiledContract, type SimulatedContracts } from '../../src/simulator/chains/contracts';

interface SolcOutput {
  readonly errors?: readonly { readonly severity: string; readonly formattedMessage: string }[];
  readonly contracts: Readonly<Record<string, Readonly<Record<string, { readonly abi: Abi; readonly evm: { readonly bytecode: { readonly object: string } } }>>>>;
}

const NAME = 'simulated-contracts.sol';

export function compileContracts(): SimulatedContracts {
  // eslint-disable-next-line @typescript-eslint/no-require-imports -- it has no types, and takes a second to load
  const solc = require('solc') as { compile(input: string, callbacks: { import(file: string): { contents: string } }): string };
  const sources = { [NAME]: { content: readFileSync(path.join(CONTRACTS_FOLDER, NAME), 'utf8') } };
  const settings = { evmVersion: 'paris', optimizer: { enabled: true, runs: 200 }, outputSelection: { '*': { '*': ['abi', 'evm.bytecode.object'] } } };
  const imports = { import: (file: string) => ({ contents: readFileSync(require.resolve(file), 'utf8') }) };
  const output = JSON.parse(solc.compile(JSON.stringify({ language: 'Solidity', sources, settings }), imports)) as SolcOutput;
  const errors = (output.errors ?? []).filter((error) => error.severity === 'error');
  if (errors.length > 0) throw new Error(errors.map((error) => error.formattedMessage).join('\n'));
  const named = (name: string): CompiledContract => {
    const made = output.contracts[NAME]?.[name];
    if (made === undefined) throw new Error(`solc made no ${name}`);
    return { abi: made.abi, bytecode: `0x${made.evm.bytecode.object}` };
  };
  return { token: named('SimulatedToken'), bridge: named('SimulatedBridge') };
}

if (require.main === module) writeFileSync(path.join(CONTRACTS_FOLDER, 'compiled.json'), `${JSON.stringify(compileContracts())}\n`);
