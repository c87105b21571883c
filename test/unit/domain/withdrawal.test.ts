import { expect, test } from '@jest/globals';
import type { Hex } from '../../../src/domain/deposit';
import { payeeFault } from '../../../src/domain/withdrawal';

const TOKEN = `0x${'aB'.repeat(20)}`;
const DIAMOND = `0x${'12'.repeat(20)}`;
const known = { token: TOKEN, contracts: [`0x${'34'.repeat(20)}`, ` ${DIAMOND}`] };

test.each([
  [TOKEN, 'the token\'s own contract'],
  [TOKEN.toLowerCase(), 'the token\'s own contract'],
  [DIAMOND, 'a contract that deposits call'],
])('%s is no address to withdraw to', (address, words) => {
  expect(payeeFault(address as Hex, known)).toContain(words);
});

test('nothing is known against any other', () => {
  expect(payeeFault(`0x${'77'.repeat(20)}`, known)).toBeNull();
});
