import { describe, expect, test } from '@jest/globals';
import { withoutSecrets } from '../../../src/store/orders/timeline';

const CANARY = 'canary-5f2d';

describe('a request in a timeline', () => {
  test.each([
    JSON.stringify({ symbol: 'XRP', signature: CANARY }),
    JSON.stringify({ action: { type: 'order' }, signature: { r: CANARY, s: CANARY, v: 27 } }),
    JSON.stringify({ headers: { 'X-API-KEY': CANARY }, body: 'a=1' }),
    JSON.stringify({ path: '/api/order', query: `symbol=XRP&signature=${CANARY}` }),
    JSON.stringify({ body: JSON.stringify({ apiSecret: CANARY, side: 'buy' }) }),
    `symbol=XRP&timestamp=1&signature=${CANARY}`,
    `/api/v3/order?symbol=XRP&signature=${CANARY}`,
    `0x02f8${CANARY}`,
  ])('shows no signature or key: %s', (bytes) => {
    expect(withoutSecrets(bytes)).not.toContain(CANARY);
  });

  test('shows everything else', () => {
    const shown = withoutSecrets(JSON.stringify({ symbol: 'XRP', quantity: '10', signature: CANARY, query: `side=buy&signature=${CANARY}` }));
    expect(JSON.parse(shown)).toEqual({ symbol: 'XRP', quantity: '10', signature: '[hidden]', query: 'side=buy&signature=[hidden]' });
  });
});
