import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { ApiHarness, type Answer } from './harness';

let api: ApiHarness;
beforeEach(async () => {
  api = await new ApiHarness().start();
});
afterEach(() => api.close());

const TOKEN = '123456:ABC-DEF1234ghIkl-zyx57W2v1u123ew11';
const price = { kind: 'price', name: 'BTC above', parameters: { venue: 'paper', symbol: 'BTC-PERP', direction: 'atOrAbove', price: '100000' } };
const rule = (body: Record<string, unknown>, key = api.key): Promise<Answer> => api.ask('POST', '/api/v1/alert-rules', { key, body });
const channel = (body: Record<string, unknown>, key = api.key): Promise<Answer> => api.ask('POST', '/api/v1/alert-channels', { key, body });

describe('alert rules over REST', () => {
  test.each([
    [price, { priceType: 'last', repeats: false, rearmBps: 10 }, 0],
    [{ kind: 'fill', name: 'fills' }, { side: null, minNotional: null }, 0],
    [{ kind: 'protection', name: 'bare' }, {}, 300],
    [{ kind: 'liquidationDistance', name: 'near', parameters: { percent: '5' } }, { percent: '5' }, 300],
    [{ kind: 'loss', name: 'loss' }, { amount: null }, 300],
    [{ kind: 'venueDown', name: 'down' }, { venue: null, afterSeconds: 30 }, 300],
    [{ kind: 'depositStuck', name: 'stuck' }, { afterMinutes: 20 }, 300],
  ])('%j is made with what is usual', async (body, parameters, cooldownSeconds) => {
    const made = await rule(body);
    expect([made.status, made.body.parameters]).toEqual([201, expect.objectContaining(parameters)]);
    expect(made.body).toMatchObject({ accountIds: null, symbols: null, channelIds: [], cooldownSeconds, digestMinutes: null, snoozedUntil: null, enabled: true, revision: 1 });
  });

  test.each([
    [{ ...price, parameters: { ...price.parameters, price: '0' } }, 400],
    [{ ...price, parameters: { ...price.parameters, price: 100000 } }, 400],
    [{ ...price, parameters: { ...price.parameters, symbol: 'NOPE-PERP' } }, 404],
    [{ ...price, accountIds: ['main'] }, 400],
    [{ kind: 'weather', name: 'rain' }, 400],
    [{ kind: 'fill', name: 'two\nlines' }, 400],
    [{ kind: 'fill', name: '' }, 400],
    [{ kind: 'loss', name: 'l', parameters: { amount: '-5' } }, 400],
    [{ kind: 'liquidationDistance', name: 'l', parameters: { percent: '100' } }, 400],
    [{ kind: 'venueDown', name: 'v', symbols: ['BTC-PERP'] }, 400],
    [{ kind: 'depositStuck', name: 'd', parameters: { afterMinutes: 0 } }, 400],
    [{ kind: 'fill', name: 'f', digestMinutes: 0 }, 400],
    [{ kind: 'fill', name: 'f', channelIds: ['not-mine'] }, 404],
  ])('what makes no sense is refused: %j', async (body, status) => {
    expect((await rule(body)).status).toBe(status);
  });

  test('a market that is named as its venue spells it is looked at under its symbol', async () => {
    const made = await rule({ kind: 'fill', name: 'fills', symbols: ['BTCUSD', 'BTC-PERP', 'ETH-PERP'] });
    expect(made.body.symbols).toEqual(['BTC-PERP', 'ETH-PERP']);
    const changed = await api.ask('PATCH', `/api/v1/alert-rules/${made.body.id}`, { body: { symbols: ['ETHUSD'] } });
    expect(changed.body.symbols).toEqual(['ETH-PERP']);
  });

  test('what is changed stays but for what is said; parameters are judged by the rule\'s own kind', async () => {
    const { id } = (await rule(price)).body;
    const at = `/api/v1/alert-rules/${id}`;
    const snoozed = await api.ask('PATCH', at, { body: { snoozedUntil: '2030-01-31T13:00:00+01:00', cooldownSeconds: 60 } });
    expect(snoozed.body).toMatchObject({ name: 'BTC above', snoozedUntil: '2030-01-31T12:00:00.000Z', cooldownSeconds: 60, revision: 1 });
    expect((await api.ask('PATCH', at, { body: { snoozedUntil: null } })).body.snoozedUntil).toBeNull();
    const changed = await api.ask('PATCH', at, { body: { parameters: { ...price.parameters, price: '90000' } } });
    expect(changed.body).toMatchObject({ parameters: { price: '90000', repeats: false }, revision: 2 });
    expect((await api.ask('PATCH', at, { body: { parameters: { side: 'buy' } } })).status).toBe(400);
    expect((await api.ask('PATCH', at, { body: { accountIds: ['main'] } })).body.error.message).toContain('belongs to no account');
    expect((await api.ask('PATCH', at, { body: { symbols: ['BTC-PERP'] } })).body.error.message).toContain('not narrowed to symbols');
    expect((await api.ask('PATCH', at, { body: { enabled: false } })).body.enabled).toBe(false);
    expect((await api.ask('GET', '/api/v1/alert-rules')).body.rules).toHaveLength(1);
    expect((await api.ask('DELETE', at)).status).toBe(200);
    expect((await api.ask('GET', at)).status).toBe(404);
  });
});

describe('alert channels over REST', () => {
  test('begin unverified, and a code that comes back enables them', async () => {
    const made = await channel({ kind: 'email', name: 'mine', address: 'trader@example.com' });
    expect([made.status, made.body.status, made.body.target]).toEqual([201, 'unverified', 'trader@example.com']);
    const at = `/api/v1/alert-channels/${made.body.id}`;
    expect((await api.ask('POST', `${at}/test`)).status).toBe(409);
    expect((await api.ask('PATCH', at, { body: { enabled: true } })).status).toBe(409);
    expect((await api.ask('POST', `${at}/send-code`)).status).toBe(202);
    expect((await api.ask('POST', `${at}/verify`, { body: { code: '000000' } })).status).toBe(409);
    expect((await api.ask('POST', `${at}/verify`, { body: { code: '12345' } })).status).toBe(400);
    expect((await api.ask('POST', `${at}/verify`, { body: { code: '123456' } })).body.status).toBe('enabled');
    expect((await api.ask('POST', `${at}/test`)).status).toBe(202);
    expect((await api.ask('PATCH', at, { body: { enabled: false, name: 'other' } })).body).toMatchObject({ name: 'other', status: 'disabled', disabledReason: 'owner' });
    expect((await api.ask('GET', '/api/v1/alert-channels')).body.channels).toHaveLength(1);
    expect((await api.ask('DELETE', at)).status).toBe(200);
    expect((await api.ask('GET', at)).status).toBe(404);
  });

  test('a bot token reaches the store, and no answer and no log', async () => {
    const made = await channel({ kind: 'telegram', name: 'bot', botToken: TOKEN, chatId: '-1001234' });
    expect([made.status, made.body.target]).toEqual([201, '-1001234']);
    expect(api.backend.alerts.botTokens).toEqual([TOKEN]);
    const replaced = await api.ask('PATCH', `/api/v1/alert-channels/${made.body.id}`, { body: { botToken: TOKEN } });
    const listed = await api.ask('GET', '/api/v1/alert-channels');
    expect(JSON.stringify([made.body, replaced.body, listed.body])).not.toContain(TOKEN);
    expect(api.logs).not.toContain(TOKEN);
  });

  test.each([
    ['a header in an address', { kind: 'email', name: 'x', address: 'a@example.com\r\nBcc: b@example.com' }],
    ['two addresses', { kind: 'email', name: 'x', address: 'a@example.com,b@example.com' }],
    ['an address with a name', { kind: 'email', name: 'x', address: 'A <a@example.com>' }],
    ['a quoted mailbox', { kind: 'email', name: 'x', address: '"a b"@example.com' }],
    ['an address at an IP address', { kind: 'email', name: 'x', address: 'a@[127.0.0.1]' }],
    ['an address inside a network', { kind: 'email', name: 'x', address: 'a@localhost' }],
    ['a token that is a path', { kind: 'telegram', name: 'x', botToken: '1/../../secret:aaaaaaaaaaaaaaaaaaaaaaaa', chatId: '1' }],
    ['a chat that is a URL', { kind: 'telegram', name: 'x', botToken: TOKEN, chatId: 'https://t.me/x' }],
    ['a URL of one\'s own', { kind: 'telegram', name: 'x', botToken: TOKEN, chatId: '1', baseUrl: 'http://169.254.169.254/' }],
  ])('%s is refused', async (_, body) => {
    expect((await channel(body)).status).toBe(400);
  });

  test('a server without a mail server says so', async () => {
    await api.close();
    api = new ApiHarness();
    api.backend.alerts.sendsEmail = false;
    await api.start();
    const refused = await channel({ kind: 'email', name: 'mine', address: 'trader@example.com' });
    expect([refused.status, refused.body.error.message]).toEqual([409, expect.stringContaining('SUREFILL_SMTP_URL')]);
  });
});

describe('alerts over REST', () => {
  test('are listed by kind and by whether somebody has seen them, and are acknowledged', async () => {
    const first = api.backend.alerts.raise('alice');
    api.backend.alerts.raise('alice', { kind: 'loss' });
    expect((await api.ask('GET', '/api/v1/alerts')).body.alerts).toHaveLength(2);
    expect((await api.ask('GET', '/api/v1/alerts?kind=fill&acknowledged=false')).body.alerts.map(({ id }: { id: string }) => id)).toEqual([first.id]);
    const acknowledged = await api.ask('POST', `/api/v1/alerts/${first.id}/acknowledge`);
    expect(acknowledged.body).toMatchObject({ id: first.id, acknowledgedAt: expect.any(String), acknowledgedBy: expect.any(String) });
    expect((await api.ask('GET', '/api/v1/alerts?acknowledged=true')).body.alerts).toHaveLength(1);
    expect((await api.ask('GET', `/api/v1/alerts/${first.id}`)).body.deliveries[0].status).toBe('waiting');
    expect((await api.ask('GET', '/api/v1/alerts?kind=weather')).status).toBe(400);
  });
});

test('another user finds nothing, and a key that may only read changes nothing', async () => {
  const made = { rule: (await rule(price)).body.id, channel: (await channel({ kind: 'email', name: 'mine', address: 'trader@example.com' })).body.id, alert: api.backend.alerts.raise('alice').id };
  for (const [method, path, body] of [
    ['GET', `alert-rules/${made.rule}`, undefined], ['PATCH', `alert-rules/${made.rule}`, {}], ['DELETE', `alert-rules/${made.rule}`, undefined],
    ['GET', `alert-channels/${made.channel}`, undefined], ['PATCH', `alert-channels/${made.channel}`, {}], ['DELETE', `alert-channels/${made.channel}`, undefined],
    ['POST', `alert-channels/${made.channel}/verify`, { code: '123456' }], ['POST', `alert-channels/${made.channel}/test`, undefined], ['POST', `alert-channels/${made.channel}/send-code`, undefined],
    ['GET', `alerts/${made.alert}`, undefined], ['POST', `alerts/${made.alert}/acknowledge`, undefined],
  ] as const) {
    expect([method, path, (await api.ask(method, `/api/v1/${path}`, { key: api.otherKey, body })).status]).toEqual([method, path, 404]);
  }
  expect((await rule({ kind: 'fill', name: 'f', channelIds: [made.channel] }, api.otherKey)).status).toBe(404);
  expect((await rule(price, api.readKey)).status).toBe(403);
  expect((await channel({ kind: 'email', name: 'x', address: 'a@example.com' }, api.readKey)).status).toBe(403);
});
