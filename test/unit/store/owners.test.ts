/** Every row belongs to a user: who must not see it, and whose it was, is never found out by way of another table. */
import { expect, test } from '@jest/globals';
import { readSource } from '../../support/source-imports';

/** What belongs to nobody, or to the installation. */
const WITHOUT_OWNER = ['User', 'Market', 'Setting', 'Epoch', 'ChainCursor', 'ChainSigner', 'SeatHolder', 'Seat'];

function models(schema: string): Map<string, string> {
  return new Map([...schema.matchAll(/^model (\w+) \{\n([\s\S]*?)^\}/gm)].map(([, name = '', body = '']) => [name, body]));
}

/** Models whose rows need not name a user. */
function ownerless(schema: string): string[] {
  return [...models(schema)].filter(([, body]) => !/^ +userId +String( |$)/m.test(body)).map(([name]) => name);
}

test('every model names its user and must have one, except what is nobody\'s', () => {
  const schema = readSource('prisma/schema.prisma');
  expect(models(schema).size).toBeGreaterThan(WITHOUT_OWNER.length);
  expect(ownerless(schema).sort()).toEqual([...WITHOUT_OWNER].sort());
});

test('a user that may be missing, or none, would be found', () => {
  expect(ownerless('model Order {\n  id String @id\n  userId String? @map("user_id")\n}\nmodel Fill {\n  id String @id\n}\nmodel Trade {\n  userId String @map("user_id")\n}\n')).toEqual(['Order', 'Fill']);
});
