import { expect, test } from '@jest/globals';
import { nearestNames } from '../../../src/domain/nearest';

test.each([
  ['order.filed', ['order.filled']],
  ['kitten', ['sitting']],
  ['', ['b']],
])('of %j these are the nearest', (text, nearest) => {
  expect(nearestNames(text, ['order.filled', 'order.canceled', 'sitting', 'b'], 1)).toEqual(nearest);
});

test('as many as asked for, the nearest first, equal ones in their own order', () => {
  expect(nearestNames('abc', ['xyz', 'abd', 'abe', 'abc'], 3)).toEqual(['abc', 'abd', 'abe']);
});
