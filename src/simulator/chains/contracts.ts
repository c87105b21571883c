/**
 * The contracts of simulated chains, compiled beforehand so that nobody needs a compiler to run them: `contracts/compiled.json`
 * beside their source. That it is what solc makes of the source is a test; `node -r ./scripts/typescript.js test/support/compile-contracts.ts`
 * writes it.
 */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import type { Abi } from 'viem';
import type { Hex } from '../../domain/deposit';

export interface CompiledContract {
  readonly abi: Abi;
  readonly bytecode: Hex;
}

export interface SimulatedContracts {
  readonly token: CompiledContract;
  readonly bridge: CompiledContract;
}

export const CONTRACTS_FOLDER = path.join(__dirname, 'contracts');

export const CONTRACTS = JSON.parse(readFileSync(path.join(CONTRACTS_FOLDER, 'compiled.json'), 'utf8')) as SimulatedContracts;
