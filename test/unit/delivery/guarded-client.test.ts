/**
 * S41: no delivery reaches inside the network. A real DNS server answers, a real listener on a private address counts, and 1,000
 * deliveries try every way in that is known.
 */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { createSocket, type Socket } from 'node:dgram';
import { Resolver } from 'node:dns';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { createServer as createTcpServer, type AddressInfo, type Server as TcpServer } from 'node:net';
import { decode, encode, type Packet } from 'dns-packet';
import { AddressGuard, AddressRefused, networkOf, type ResolveAll } from '../../../src/delivery/address-guard';
import { ANSWER_BYTES, GuardedClient, urlRefusal } from '../../../src/delivery/guarded-client';

/** Public in name only: the tests' own loopback network stands for it. Everything else of loopback is the victim's. */
const PUBLIC = '127.7.7.7';
const allowed = [networkOf(PUBLIC)].filter((network) => network !== null);

let dns: Socket;
let victim: TcpServer;
let victimPort = 0;
let reached = 0;
let endpoint: Server;
let endpointUrl = '';
let resolveAll: ResolveAll;
/** Addresses of a name; a function may answer another way each time. */
const names = new Map<string, () => readonly string[]>();
let onRequest: (request: IncomingMessage, response: ServerResponse) => void = (_request, response) => response.end('ok');
let received = 0;

beforeAll(async () => {
  victim = createTcpServer((socket) => {
    // It listens everywhere, also where the public address of these tests leads: that is no way in.
    if (socket.localAddress !== `::ffff:${PUBLIC}`) reached += 1;
    socket.destroy();
  }).listen(0, '::');
  await once(victim, 'listening');
  victimPort = (victim.address() as AddressInfo).port;
  endpoint = createServer((request, response) => {
    received += 1;
    request.resume().on('end', () => onRequest(request, response));
  }).listen(0, PUBLIC);
  await once(endpoint, 'listening');
  endpointUrl = `http://${PUBLIC}:${(endpoint.address() as AddressInfo).port}/hook`;
  dns = createSocket('udp4');
  dns.on('message', (message, from) => dns.send(encode(answerTo(decode(message))), from.port, from.address));
  dns.bind(0, '127.0.0.1');
  await once(dns, 'listening');
  const resolver = new Resolver({ timeout: 2_000, tries: 1 });
  resolver.setServers([`127.0.0.1:${dns.address().port}`]);
  resolveAll = (host, callback) =>
    resolver.resolve4(host, (error4, four) =>
      resolver.resolve6(host, (error6, six) => {
        const found = [...(four ?? []).map((address) => ({ address, family: 4 })), ...(six ?? []).map((address) => ({ address, family: 6 }))];
        callback(found.length === 0 ? (error4 ?? error6) : null, found);
      }),
    );
});
afterAll(async () => {
  dns.close();
  victim.close();
  endpoint.close();
  endpoint.closeAllConnections();
  await client.close();
});

function answerTo(query: Packet): Packet {
  const [question] = query.questions ?? [];
  const addresses = question === undefined ? [] : (names.get(question.name)?.() ?? []);
  const answers = addresses.filter((address) => address.includes(':') === (question?.type === 'AAAA')).map((data) => ({ type: question?.type as 'A', name: question?.name ?? '', ttl: 0, data }));
  return { type: 'response', id: query.id ?? 0, flags: answers.length === 0 ? 3 : 0, questions: query.questions ?? [], answers };
}

const client = new GuardedClient({ guard: new AddressGuard(allowed, (host, callback) => resolveAll(host, callback)), allowHttp: true });
const post = (url: string, using = client, signal = new AbortController().signal): ReturnType<GuardedClient['post']> => using.post({ url, headers: { 'content-type': 'application/json' }, body: '{}', nowMs: () => Date.now(), signal });

/** Spellings of addresses that lead inside: loopback, private networks, metadata services, by every notation. */
const LITERALS = [
  '127.0.0.1', '2130706433', '0x7f000001', '0x7f.1', '017700000001', '0177.0.0.1', '127.1', '0.0.0.0', '0', '10.0.0.1', '172.16.0.1', '192.168.1.1', '169.254.169.254', '2852039166', '100.64.0.1', '192.0.0.1', '198.18.0.1', '224.0.0.1', '240.0.0.1', '255.255.255.255',
  '[::]', '[::1]', '[0:0:0:0:0:0:0:1]', '[::ffff:127.0.0.1]', '[::ffff:7f00:1]', '[::127.0.0.1]', '[::7f00:1]', '[64:ff9b::7f00:1]', '[2002:7f00:1::]', '[fc00::1]', '[fd00:ec2::254]', '[fe80::1]', '[fec0::1]', '[ff02::1]', '[100::1]', '[2001:db8::1]', '[::ffff:169.254.169.254]', '①②⑦.0.0.1', '127。0。0。1',
  '168.63.129.16', '[::ffff:168.63.129.16]', '100.100.100.200', '192.0.0.192', '[::ffff:0:7f00:1]', '[64:ff9b:1::7f00:1]', '[::1:7f00:1]', '[0:0:0:1::1]', '[fe00::1]', '[4000::1]', '[2001::1]', '[2001:20::1]', '[5f00::1]', '[3fff::1]', '127.0.0.1.', '0x7f.0x0.0x0.0x1', '%31%32%37.0.0.1', '[0000:0000:0000:0000:0000:ffff:7f00:0001]',
];

describe('S41: what leads inside', () => {
  test('1,000 deliveries by literals, names, mixed answers, rebinding and redirects: not one connection', async () => {
    const inside = ['127.0.0.1', '10.0.0.5', '169.254.169.254', '::1', '::7f00:1', 'fd00::1', '::ffff:127.0.0.1'];
    inside.forEach((address, n) => names.set(`inside-${n}.test`, () => [address]));
    names.set('mixed.test', () => [PUBLIC, '127.0.0.1']);
    names.set('mixed6.test', () => [PUBLIC, '::1']);
    let asked = 0;
    // Public when it is looked at, private when it is looked up again.
    names.set('rebinding.test', () => [(asked += 1) % 2 === 1 ? PUBLIC : '127.0.0.1']);
    onRequest = (_request, response) => response.writeHead(302, { location: `http://127.0.0.1:${victimPort}/` }).end();
    const hosts = [...LITERALS, ...inside.map((_address, n) => `inside-${n}.test`), 'mixed.test', 'mixed6.test', 'rebinding.test', 'localhost.', 'nowhere.test'];
    names.set('localhost', () => ['127.0.0.1']);
    names.set('localhost.', () => ['127.0.0.1']);
    const attempts = Array.from({ length: 1_000 }, (_, n) => (n % 50 === 0 ? endpointUrl : `http://${hosts[n % hosts.length]}:${victimPort}/latest/meta-data`));
    const outcomes: { url: string; errorClass: string | null }[] = [];
    for (let from = 0; from < attempts.length; from += 50) {
      outcomes.push(...(await Promise.all(attempts.slice(from, from + 50).map(async (url) => ({ url, errorClass: (await post(url)).errorClass })))));
    }
    expect(outcomes).toHaveLength(1_000);
    expect(reached).toBe(0);
    const wrong = outcomes.filter(({ url, errorClass }) => !(url === endpointUrl ? ['redirect'] : url.includes('rebinding') ? ['blockedAddress', 'refused', 'reset'] : url.includes('nowhere') ? ['dns'] : ['blockedAddress', 'blockedUrl']).includes(String(errorClass)));
    expect(wrong).toEqual([]);
    expect(asked).toBeGreaterThan(0);
  }, 60_000);

  test('the listener counts, so that 0 means something: without the guard it is reached', async () => {
    const open = new GuardedClient({ guard: new AddressGuard([networkOf('0.0.0.0/0'), networkOf('::/0')].filter((network) => network !== null)), allowHttp: true });
    expect((await post(`http://127.0.0.1:${victimPort}/`, open)).errorClass).toBe('reset');
    expect(reached).toBe(1);
    reached = 0;
    await open.close();
  });

  test.each(LITERALS)('http://%s is refused before anything is sent', (host) => {
    expect(urlRefusal(`http://${host}/`, { guard: new AddressGuard(), allowHttp: true })).toMatch(/not a public address|not a URL/);
  });

  test.each([
    ['localhost', 'localhost resolves to 127.0.0.1, which is not a public address'],
    ['LOCALHOST.', 'not a public address'],
    ['hooks.localhost:8080', 'not a public address'],
    ['a..b', 'a..b is no name of a host'],
    ['.example.com', 'no name of a host'],
    [`${'a'.repeat(64)}.com`, 'no name of a host'],
    [`${'abcdefg.'.repeat(32)}com`, 'no name of a host'],
    ['exa$mple.com', 'no name of a host'],
  ])('https://%s/ is refused without asking who that is', (host, words) => {
    expect(urlRefusal(`https://${host}/`, { guard: new AddressGuard(), allowHttp: false })).toContain(words);
  });

  test.each(['example.com', 'example.com.', 'a-b_c.example.com:8443', 'bücher.example', 'receiver', '[2606:4700::1111]', '9.9.9.9'])('https://%s/ may be tried', (host) => {
    expect(urlRefusal(`https://${host}/`, { guard: new AddressGuard(), allowHttp: false })).toBeNull();
  });

  test('localhost may be tried where the operator allows this machine', () => {
    expect(urlRefusal('https://localhost/', { guard: new AddressGuard([networkOf('127.0.0.0/8')].filter((network) => network !== null)), allowHttp: false })).toBeNull();
  });

  test('a socket that ended up elsewhere than it was sent is closed', async () => {
    // What looks up answers an allowed address, and the allowed network is not the one connected to.
    const lying = new AddressGuard(allowed, resolveAll);
    const guard = Object.assign(lying, { lookup: (_host: string, options: { all?: boolean }, callback: (error: null, address: unknown, family?: number) => void) => (options.all === true ? callback(null, [{ address: '127.0.0.1', family: 4 }]) : callback(null, '127.0.0.1', 4)) });
    const fooled = new GuardedClient({ guard, allowHttp: true });
    expect((await post(`http://rebinding.test:${new URL(endpointUrl).port}/`, fooled)).errorClass).not.toBeNull();
    expect((await post(`http://rebinding.test:${victimPort}/`, fooled)).errorClass).toBe('blockedAddress');
    reached = 0;
    await fooled.close();
  });
});

describe('an attempt', () => {
  test.each([
    [200, null],
    [204, null],
    [301, 'redirect'],
    [410, 'answer'],
    [500, 'answer'],
  ])('that is answered %s is %s', async (code, errorClass) => {
    onRequest = (_request, response) => response.writeHead(code, { location: endpointUrl, 'retry-after': '7' }).end(code === 204 ? undefined : 'password=hunter2');
    const before = received;
    expect(await post(endpointUrl)).toMatchObject({ code, errorClass, retryAfterMs: 7_000, answer: code === 204 ? '' : 'password=[redacted]' });
    expect(received - before).toBe(1);
  });

  test('reads 8 KB of the answer and leaves the rest', async () => {
    onRequest = (_request, response) => response.end('x'.repeat(1_000_000));
    expect((await post(endpointUrl)).answer).toHaveLength(ANSWER_BYTES);
  });

  test('that hangs ends at its deadline, one that is interrupted at once', async () => {
    onRequest = () => undefined;
    const hasty = new GuardedClient({ guard: new AddressGuard(allowed), allowHttp: true, timeoutMs: 100 });
    expect(await post(endpointUrl, hasty)).toMatchObject({ code: null, errorClass: 'timeout' });
    await hasty.close();
    expect((await post(endpointUrl, client, AbortSignal.abort())).errorClass).toBe('interrupted');
  });

  test('to a port where nobody listens, and one that is cut off, say so', async () => {
    const taken = createTcpServer().listen(0, PUBLIC);
    await once(taken, 'listening');
    const { port } = taken.address() as AddressInfo;
    taken.close();
    await once(taken, 'close');
    expect((await post(`http://${PUBLIC}:${port}/`)).errorClass).toBe('refused');
    onRequest = (request) => request.socket.destroy();
    expect((await post(endpointUrl)).errorClass).toBe('reset');
    expect((await post('https://' + new URL(endpointUrl).host)).errorClass).toBe('tls');
  });

  test.each([
    ['ftp://example.com/', 'scheme must be https'],
    ['http://example.com/', 'scheme must be https'],
    ['https://user:pass@example.com/', 'user or a password'],
    ['example.com', 'not a URL'],
  ])('is never made to %s', async (url, words) => {
    const strict = new GuardedClient({ guard: new AddressGuard(), allowHttp: false });
    expect(strict.refusal(url)).toContain(words);
    expect(await post(url, strict)).toMatchObject({ code: null, errorClass: 'blockedUrl' });
    await strict.close();
  });
});

describe('an egress proxy', () => {
  test('makes the connections; literals that lead inside are refused before it is asked', async () => {
    const asked: string[] = [];
    const proxy = createServer().on('connect', (request: IncomingMessage, socket) => {
      asked.push(request.url ?? '');
      socket.end('HTTP/1.1 403 Forbidden\r\n\r\n');
    });
    proxy.listen(0, '127.0.0.1');
    await once(proxy, 'listening');
    const through = new GuardedClient({ guard: new AddressGuard(), allowHttp: false, proxyUrl: `http://127.0.0.1:${(proxy.address() as AddressInfo).port}` });
    expect((await post('https://example.test/hook', through)).errorClass).not.toBeNull();
    expect((await post('https://169.254.169.254/', through)).errorClass).toBe('blockedUrl');
    expect(asked).toEqual(['example.test:443']);
    await through.close();
    proxy.close();
  });
});

test('networks are read from their text', () => {
  expect(['10.0.0.0/8', 'fd00::/8', '10.1.2.3', 'nonsense', '10.0.0.0/40'].map((text) => networkOf(text) !== null)).toEqual([true, true, true, false, false]);
  expect(new AddressRefused('a.test', '10.0.0.1').message).toBe('a.test resolves to 10.0.0.1, which is not a public address');
});
