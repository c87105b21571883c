import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { DomainError } from '../../src/domain/errors';
import type { OrderState } from '../../src/domain/order';
import { ApiHarness, limitOrder, type Answer } from './harness';

let api: ApiHarness;
let id: string;
beforeEach(async () => {
  api = await new ApiHarness().start();
  id = (await api.ask('POST', '/api/v1/orders', { body: limitOrder() })).body.id;
});
afterEach(() => api.close());

const cancel = (query = ''): Promise<Answer> => api.ask('DELETE', `/api/v1/orders/${id}${query}`);
const revision = (): number => api.backend.orders.get(id)?.revision ?? -1;
const amend = (body: unknown, ifMatch: string | null = `"${revision()}"`, query = ''): Promise<Answer> => api.ask('PATCH', `/api/v1/orders/${id}${query}`, { body, headers: ifMatch === null ? {} : { 'if-match': ifMatch } });

describe('cancelling an order', () => {
  test('is 200 with the order once it is canceled, and so is a repeat', async () => {
    const answers = [await cancel(), await cancel()];
    expect(answers.map((answer) => [answer.status, answer.body.state])).toEqual([[200, 'CANCELED'], [200, 'CANCELED']]);
  });

  test('is 202 while the venue has not answered', async () => {
    api.backend.onCancel = async () => {
      api.backend.change(id, { pendingCancel: true }, 'order.cancelRequested');
      return { verdict: 'pending', code: null, message: null };
    };
    const answer = await cancel('?timeoutMs=20');
    expect([answer.status, answer.body.pendingCancel]).toEqual([202, true]);
  });

  test('of an UNKNOWN order is taken and waits for its outcome', async () => {
    api.backend.change(id, { state: 'UNKNOWN' }, 'order.unknown');
    api.backend.onCancel = async () => {
      api.backend.change(id, { pendingCancel: true }, 'order.cancelRequested');
      setImmediate(() => api.backend.change(id, { state: 'CANCELED', pendingCancel: false }, 'order.canceled'));
      return { verdict: 'pending', code: null, message: null };
    };
    expect((await cancel()).status).toBe(200);
  });

  test.each<OrderState>(['FILLED', 'REJECTED', 'EXPIRED'])('that is %s is a 409 with the order', async (state) => {
    api.backend.change(id, { state });
    const answer = await cancel();
    expect([answer.status, answer.body.error.code, answer.body.error.details.order.state]).toEqual([409, 'CONFLICT', state]);
  });

  test('that was placed a moment ago is handed over without a read of its row', async () => {
    let readsBefore = -1;
    const taken = api.backend.onCancel;
    api.backend.onCancel = (intent) => {
      readsBefore = api.backend.calls.byId;
      return taken(intent);
    };
    expect((await cancel()).status).toBe(200);
    expect(readsBefore).toBe(0);
  });

  test('that fills meanwhile is a 409 with the order', async () => {
    api.backend.onCancel = async () => {
      api.backend.change(id, { pendingCancel: true }, 'order.cancelRequested');
      api.backend.change(id, { state: 'FILLED', pendingCancel: false }, 'order.filled');
      return { verdict: 'refused', code: 'alreadyClosed', message: 'already filled' };
    };
    const answer = await cancel();
    expect([answer.status, answer.body.error.details.order.state]).toEqual([409, 'FILLED']);
  });

  test('that the venue refuses tells its words', async () => {
    api.backend.onCancel = async () => ({ verdict: 'refused', code: 'other', message: 'cancel-only window' });
    const answer = await cancel();
    expect([answer.status, answer.body.error.code, answer.body.error.message]).toEqual([422, 'VENUE_REJECTED', 'cancel-only window']);
  });

  test('with a cancel under way already waits for that one', async () => {
    api.backend.onCancel = async () => {
      setImmediate(() => api.backend.change(id, { state: 'CANCELED', pendingCancel: false }, 'order.canceled'));
      api.backend.change(id, { pendingCancel: true });
      return { verdict: 'nothingToDo', code: null, message: null };
    };
    expect((await cancel()).status).toBe(200);
  });

  test('with Temporal away is 503, outcome unknown', async () => {
    api.backend.onCancel = () => Promise.reject(new DomainError('SERVICE_UNAVAILABLE', 'Temporal did not answer', { outcome: 'unknown', retryAfterSeconds: 1 }));
    const answer = await cancel();
    expect([answer.status, answer.body.error.outcome]).toEqual([503, 'unknown']);
  });

  test('never says 202 of a cancel that nobody has recorded', async () => {
    let release: () => void = () => undefined;
    const held = new Promise<void>((resolve) => (release = resolve));
    let asked = false;
    api.backend.onCancel = async () => {
      asked = true;
      await held;
      api.backend.change(id, { pendingCancel: true }, 'order.cancelRequested');
      return { verdict: 'pending', code: null, message: null };
    };
    const answer = cancel('?timeoutMs=0');
    while (!asked) await new Promise((resolve) => setImmediate(resolve));
    release();
    expect([(await answer).status, (await answer).body.pendingCancel]).toEqual([202, true]);
  });
});

describe('cancelling all', () => {
  test('needs an account, or all=true, and not both', async () => {
    for (const query of ['', '?symbol=BTC-PERP', '?all=false', '?all=true&accountId=main']) expect((await api.ask('DELETE', `/api/v1/orders${query}`)).status).toBe(400);
    expect(api.backend.orders.get(id)?.state).toBe('WORKING');
  });

  test('cancels the account\'s open orders, each with its result', async () => {
    const eth = (await api.ask('POST', '/api/v1/orders', { body: limitOrder({ clientOrderId: 'c-2', symbol: 'ETH-PERP' }) })).body.id;
    const other = (await api.ask('POST', '/api/v1/orders', { body: limitOrder({ clientOrderId: 'c-3', accountId: 'second' }) })).body.id;
    const one = await api.ask('DELETE', '/api/v1/orders?accountId=main&symbol=ETH-PERP');
    expect(one.body.results.map((result: Answer['body']) => [result.orderId, result.status, result.order.state])).toEqual([[eth, 200, 'CANCELED']]);
    const rest = await api.ask('DELETE', '/api/v1/orders?all=true');
    expect(rest.body.results.map((result: Answer['body']) => result.orderId).sort()).toEqual([id, other].sort());
  });

  test('over more orders than are cancelled at once answers for every one', async () => {
    for (let n = 0; n < 40; n += 1) await api.ask('POST', '/api/v1/orders', { body: limitOrder({ clientOrderId: `n-${n}` }) });
    const answer = await api.ask('DELETE', '/api/v1/orders?accountId=main');
    expect(answer.body.results.map((result: Answer['body']) => [result.index, result.status])).toEqual(Array.from({ length: 41 }, (_, index) => [index, 200]));
  });

  test('one that cannot be canceled has its error and holds back no other', async () => {
    await api.ask('POST', '/api/v1/orders', { body: limitOrder({ clientOrderId: 'c-2' }) });
    const works = api.backend.onCancel;
    api.backend.onCancel = (intent) => (intent.orderId === id ? Promise.resolve({ verdict: 'refused', code: 'other', message: 'no' }) : works(intent));
    const answer = await api.ask('DELETE', '/api/v1/orders?accountId=main');
    expect(answer.body.results.map((result: Answer['body']) => result.status)).toEqual([422, 200]);
  });

  test('of another user\'s account is a 404', async () => {
    expect((await api.ask('DELETE', '/api/v1/orders?accountId=foreign')).status).toBe(404);
  });
});

describe('amending an order', () => {
  test('needs If-Match: 428 without, 412 when stale, 400 when it is no revision', async () => {
    const answers = [await amend({ limitPrice: '50100' }, null), await amend({ limitPrice: '50100' }, '"1"'), await amend({ limitPrice: '50100' }, 'W/"x"')];
    expect(answers.map((answer) => [answer.status, answer.body.error.code])).toEqual([[428, 'PRECONDITION_REQUIRED'], [412, 'PRECONDITION_FAILED'], [400, 'VALIDATION']]);
    expect(answers[1]?.body.error.details.revision).toBe(revision());
  });

  test('is 200 with the new terms and the new ETag', async () => {
    const answer = await amend({ limitPrice: '50100.50', quantity: '0.02' });
    expect([answer.status, answer.body.limitPrice, answer.body.quantity, answer.headers.get('etag')]).toEqual([200, '50100.5', '0.02', `"${revision()}"`]);
  });

  test('is 202 while the venue has not answered', async () => {
    api.backend.onAmend = async () => {
      api.backend.change(id, { pendingReplace: true }, 'order.amendRequested');
      return { verdict: 'pending', code: null, message: null };
    };
    const answer = await amend({ limitPrice: '50100' }, undefined, '?timeoutMs=20');
    expect([answer.status, answer.body.pendingReplace]).toEqual([202, true]);
  });

  test('whose outcome comes by event is answered by it', async () => {
    const settle = (limitPrice: string) => async () => {
      api.backend.change(id, { pendingReplace: true }, 'order.amendRequested');
      setImmediate(() => api.backend.change(id, { pendingReplace: false, limitPrice }, 'order.amended'));
      return { verdict: 'pending', code: null, message: null } as const;
    };
    api.backend.onAmend = settle('50100');
    expect((await amend({ limitPrice: '50100' })).status).toBe(200);
    api.backend.onAmend = settle('50100');
    const refused = await amend({ limitPrice: '50200' });
    expect([refused.status, refused.body.error.code]).toEqual([422, 'VENUE_REJECTED']);
  });

  describe('that loses to another one of the same revision', () => {
    const another = (terms: object) => {
      api.backend.change(id, { pendingReplace: true }, 'order.amendRequested');
      return () => api.backend.change(id, { pendingReplace: false, ...terms }, 'order.amended');
    };

    test.each([
      ['CONFLICT', 409, 'an amendment of the order is under way'],
      ['PRECONDITION_FAILED', 412, 'the order is at revision 4, not 2'],
    ] as const)('is told %s with the order as it is, and nothing of a venue that never heard of it', async (code, status, message) => {
      api.backend.onAmend = async () => {
        another({ limitPrice: '50300' })();
        await new Promise((resolve) => setImmediate(resolve));
        return { verdict: 'denied', code, message };
      };
      const answer = await amend({ limitPrice: '50100' });
      expect([answer.status, answer.body.error.code, answer.body.error.message]).toEqual([status, code, message]);
      expect(answer.body.error.details).toMatchObject({ revision: revision(), order: { limitPrice: '50300' } });
    });

    test('is not done because the winner\'s terms have its own and more', async () => {
      api.backend.onAmend = async () => {
        another({ limitPrice: '50100', quantity: '0.03' })();
        await new Promise((resolve) => setImmediate(resolve));
        return { verdict: 'denied', code: 'PRECONDITION_FAILED', message: 'the order is at another revision' };
      };
      expect((await amend({ limitPrice: '50100' })).status).toBe(412);
    });

    test('is done where the winner\'s terms are its own', async () => {
      api.backend.onAmend = async () => {
        another({ limitPrice: '50100' })();
        await new Promise((resolve) => setImmediate(resolve));
        return { verdict: 'denied', code: 'PRECONDITION_FAILED', message: 'the order is at another revision' };
      };
      const answer = await amend({ limitPrice: '50100' });
      expect([answer.status, answer.body.limitPrice]).toEqual([200, '50100']);
    });

    test.each([
      ['another\'s', '50300', 409],
      ['its own', '50100', 202],
    ])('and has no answer in time: where the open one is %s it is %d', async (_whose, limitPrice, status) => {
      let release: () => void = () => undefined;
      const held = new Promise<void>((resolve) => (release = resolve));
      api.backend.evidence.push({ key: 'amendRequested/m', kind: 'amendRequested', at: api.backend.at(), data: { limitPrice, quantity: null, triggerPrice: null } });
      api.backend.onAmend = async () => {
        another({});
        await held;
        return { verdict: 'pending', code: null, message: null };
      };
      const answer = await amend({ limitPrice: '50100' }, undefined, '?timeoutMs=20');
      release();
      expect([answer.status, answer.body.error?.code]).toEqual([status, status === 409 ? 'CONFLICT' : undefined]);
    });
  });

  test('that the venue refuses tells its words, also where the order\'s event was quicker than the answer', async () => {
    api.backend.onAmend = async () => {
      api.backend.change(id, { pendingReplace: true }, 'order.amendRequested');
      api.backend.change(id, { pendingReplace: false }, 'order.amendRefused');
      await new Promise((resolve) => setImmediate(resolve));
      return { verdict: 'refused', code: 'badTick', message: 'no such price' };
    };
    const answer = await amend({ limitPrice: '50100' });
    expect([answer.status, answer.body.error.code, answer.body.error.message]).toEqual([422, 'VENUE_REJECTED', 'no such price']);
  });

  test('that was applied is 200 though the order was amended again since', async () => {
    api.backend.onAmend = async () => {
      for (const limitPrice of ['50100', '50300']) api.backend.change(id, { limitPrice }, 'order.amended');
      return { verdict: 'applied', code: null, message: null };
    };
    expect((await amend({ limitPrice: '50100' })).status).toBe(200);
  });

  test('is a 409 while another is under way, and when the order is terminal', async () => {
    api.backend.change(id, { pendingReplace: true });
    expect((await amend({ limitPrice: '50100' })).body.error.message).toContain('another amendment');
    api.backend.change(id, { pendingReplace: false, pendingCancel: true });
    expect((await amend({ limitPrice: '50100' })).body.error.message).toContain('a cancel');
    api.backend.change(id, { pendingCancel: false, state: 'FILLED' });
    expect((await amend({ limitPrice: '50100' })).status).toBe(409);
  });

  test.each([
    [{}, 400],
    [{ limitPrice: '50000.1' }, 422],
    [{ quantity: '0.0001' }, 422],
    [{ price: '1' }, 400],
  ])('%j is %d and asks nobody', async (body, status) => {
    let asked = false;
    api.backend.onAmend = async () => {
      asked = true;
      return { verdict: 'applied', code: null, message: null };
    };
    expect((await amend(body)).status).toBe(status);
    expect(asked).toBe(false);
  });

  test('below what is filled is a 422 that says to cancel instead', async () => {
    api.backend.change(id, { filledQuantity: '0.005', state: 'PARTIALLY_FILLED' });
    const answer = await amend({ quantity: '0.005' });
    expect([answer.status, answer.body.error.message]).toEqual([422, expect.stringContaining('cancel')]);
  });

  test.each([['PRECONDITION_FAILED', 412], ['SERVICE_UNAVAILABLE', 503]])('denied under the lock tells why, and that nothing was done (%s)', async (code, status) => {
    api.backend.onAmend = async () => ({ verdict: 'denied', code, message: 'why' });
    const { status: told, body } = await amend({ limitPrice: '50100' });
    expect([told, body.error.message, body.error.outcome]).toEqual([status, 'why', 'none']);
  });

  test('at a venue that cannot amend is a 422', async () => {
    id = (await api.ask('POST', '/api/v1/orders', { body: limitOrder({ accountId: 'second' }) })).body.id;
    expect((await amend({ limitPrice: '50100' })).body.error.message).toContain('cannot amend');
  });
});
