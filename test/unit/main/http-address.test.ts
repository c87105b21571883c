import { expect, test } from '@jest/globals';
import { httpAddress } from '../../../src/main/http-address';

test.each([
  ['127.0.0.1', 'http://127.0.0.1:3000'],
  ['localhost', 'http://localhost:3000'],
  ['::1', 'http://[::1]:3000'],
  ['0.0.0.0', 'http://127.0.0.1:3000'],
  ['::', 'http://[::1]:3000'],
])('a server that listens on %s is opened at %s', (host, address) => {
  expect(httpAddress(host, 3_000)).toBe(address);
  expect(new URL(httpAddress(host, 3_000)).port).toBe('3000');
});
