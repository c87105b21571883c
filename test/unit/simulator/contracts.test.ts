import { expect, test } from '@jest/globals';
import { CONTRACTS } from '../../../src/simulator/chains/contracts';
import { compileContracts } from '../../support/compile-contracts';

test('the contracts that are run are what solc makes of their source', () => {
  expect(CONTRACTS).toEqual(compileContracts());
}, 60_000);
