import { describe, expect, test } from '@jest/globals';
import { childClientOrderId, childOrderId } from '../../../src/domain/client-ids';
import { childIntent, ENTRY_PLACE_WITHIN_MS, EXIT_PLACE_WITHIN_MS, type ChildOwner, type ChildTerms } from '../../../src/domain/child-intent';
import { UNCONDITIONAL, type OrderIntent } from '../../../src/domain/order';
import type { QuantityRules } from '../../../src/domain/quantise';
import { sha256Hex } from '../../../src/workflows/child-orders';
import { sha256Hex as nodeSha256Hex } from '../../../src/api/canonical-json';

const PARENT = '00000000-0000-4000-8000-000000000001';
const NAME = { parentId: PARENT, leg: 0, child: 0 };
const RULES: QuantityRules = { tickRule: { kind: 'step', step: '0.5' }, lot: '0.001', minQuantity: '0.001', minNotional: '10' };
const OWNER: ChildOwner = {
  userId: 'u1', accountId: 'a1', signerId: 's1', venue: 'paper', symbol: 'BTC-PERP', venueSymbol: 'BTC-PERP', origin: 'CONDITIONAL',
  supervision: { workflowId: 'conditional/a1/c1', parentOrderId: PARENT },
};
const EXIT: ChildTerms = { side: 'sell', type: 'limit', timeInForce: 'GTC', quantity: '0.12345', limitPrice: '61250.3', postOnly: false, reduceOnly: true };

const make = (terms: Partial<ChildTerms> = {}, referencePrice: string | null = null) => childIntent(NAME, OWNER, { ...EXIT, ...terms }, { rules: RULES, referencePrice }, 1_000, sha256Hex);

function intentOf(made: ReturnType<typeof make>): OrderIntent {
  if (made.kind !== 'intent') throw new Error('no intent was made');
  return made.intent;
}

describe('the names of children', () => {
  test('are functions of parent, leg and number: the same again, and never two alike', () => {
    const names = [0, 1, 2].flatMap((leg) => [0, 1, 2].map((child) => ({ parentId: PARENT, leg, child })));
    const ids = names.map((name) => childOrderId(name, sha256Hex));
    expect(names.map((name) => childOrderId(name, sha256Hex))).toEqual(ids);
    expect(new Set(ids).size).toBe(names.length);
    expect(new Set(names.map(childClientOrderId)).size).toBe(names.length);
    for (const id of ids) expect(id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-8[0-9a-f]{3}-[0-9a-f]{12}$/);
    for (const name of names) expect(childClientOrderId(name)).toMatch(/^[A-Za-z0-9._-]{1,64}$/);
  });

  test('are made in the workflow\'s sandbox as they are made elsewhere', () => {
    for (const text of ['', 'a', 'ü€𝄞', 'x'.repeat(1_000)]) expect(sha256Hex(text)).toBe(nodeSha256Hex(text));
  });
});

describe('the intent of a child', () => {
  test('is on the market\'s grid, its price rounded to the side that protects its holder, its quantity down', () => {
    expect(intentOf(make())).toMatchObject({ quantity: '0.123', limitPrice: '61250.5', reduceOnly: true, supervision: OWNER.supervision, origin: 'CONDITIONAL' });
    expect(intentOf(make({ side: 'buy' })).limitPrice).toBe('61250');
  });

  test('a native stop\'s trigger is never rounded to the wrong side', () => {
    const condition = { ...UNCONDITIONAL, execution: 'native', triggerPrice: '60000.2' } as const;
    expect(intentOf(make({ type: 'stopMarket', limitPrice: null, condition })).condition).toEqual({ ...condition, triggerPrice: '60000.5' });
    expect(intentOf(make({ type: 'stopMarket', side: 'buy', limitPrice: null, condition })).condition).toEqual({ ...condition, triggerPrice: '60000' });
  });

  test('an entry below the market\'s least worth is told as such; an exit is not refused for it', () => {
    expect(make({ quantity: '0.001', reduceOnly: false, limitPrice: null, type: 'market' }, '500')).toEqual({ kind: 'belowMinimum', quantity: '0.001' });
    expect(make({ quantity: '0.001', limitPrice: null, type: 'market' }, '500').kind).toBe('intent');
  });

  test('what is below one lot is below the minimum, for an exit too', () => {
    expect(make({ quantity: '0.0009' })).toEqual({ kind: 'belowMinimum', quantity: '0.0009' });
    expect(make({ quantity: '0' })).toEqual({ kind: 'belowMinimum', quantity: '0' });
  });

  test('an exit may be placed for a day, an entry for a minute after it was decided', () => {
    expect(Date.parse(intentOf(make()).placeBefore)).toBe(1_000 + EXIT_PLACE_WITHIN_MS);
    expect(Date.parse(intentOf(make({ reduceOnly: false })).placeBefore)).toBe(1_000 + ENTRY_PLACE_WITHIN_MS);
  });
});
