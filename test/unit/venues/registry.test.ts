import { afterEach, describe, expect, test } from '@jest/globals';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { systemClock } from '../../../src/domain/clock';
import type { RateBudget } from '../../../src/domain/rate-budget';
import type { ReadOptions, SendOptions, Venue } from '../../../src/domain/venue';
import { createVenues, type VenueConfig, type VenueDependencies } from '../../../src/venues';
import { LocalRateBudget } from '../../../src/venues/local-rate-budget';
import type { CallReport } from '../../../src/venues/telemetry';

const closers: (() => Promise<void> | void)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

const config = (change: Partial<VenueConfig> = {}): VenueConfig => ({ name: 'paper', adapter: 'paper', httpUrl: 'http://127.0.0.1:1', wsUrl: 'ws://127.0.0.1:1', options: {}, ...change });
const read: ReadOptions = { signal: new AbortController().signal, priority: 'read' };
const errorOf = (running: Promise<unknown>): Promise<unknown> => running.then(() => Promise.reject(new Error('expected an error')), (error: unknown) => error);

function open(configs: readonly VenueConfig[], deps: Partial<VenueDependencies> = {}): Map<string, Venue> {
  const venues = createVenues(configs, { budget: new LocalRateBudget(systemClock), clock: systemClock, random: () => 0, ...deps });
  closers.push(async () => {
    for (const venue of venues.values()) await venue.close();
  });
  return venues;
}

/** A venue that answers each request with the next status of a list, then with an empty list of markets. */
async function serverOf(statuses: readonly number[]): Promise<{ url: string; count: () => number }> {
  let count = 0;
  const server = createServer((_request, response) => {
    const status = statuses[count] ?? 200;
    count += 1;
    response.writeHead(status, { 'retry-after': '60' }).end('{"markets":[]}');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  closers.push(() => {
    server.closeAllConnections();
    return new Promise<void>((resolve) => void server.close(() => resolve()));
  });
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, count: () => count };
}

describe('the registry', () => {
  test('makes several venues of one adapter, each with its name and options', async () => {
    const { url } = await serverOf([]);
    const venues = open([config({ httpUrl: url }), config({ name: 'paper2', httpUrl: url, options: { absenceFinalAfterMs: 500 } })]);
    expect([...venues].map(([name, venue]) => [name, venue.name, venue.capabilities.absenceFinalAfterMs])).toEqual([['paper', 'paper', 120_000], ['paper2', 'paper2', 500]]);
    expect(venues.get('paper')?.capabilities).toMatchObject({ resendSafety: 'uniqueClientId', acknowledgement: 'sync', maxBatchSize: 100, amend: 'inPlace', nonceRule: 'none', budget: { reserve: 0.2 } });
    expect(await venues.get('paper2')?.markets(read)).toEqual([]);
  });
  test.each([
    ['a name that is none', [config({ name: 'Paper One' })], 'venue name "Paper One" must be'],
    ['a name given twice', [config(), config()], 'venue paper is configured twice'],
    ['an adapter there is not', [config({ adapter: 'constructor' })], 'no adapter "constructor"; known: hyperliquid, paper'],
    ['options that are wrong', [config({ options: { absenceFinalAfterMs: -1 } })], 'venue paper: its settings are wrong'],
    ['a URL that is none', [config({ httpUrl: 'here' })], 'venue paper: its settings are wrong'],
  ])('refuses %s in one clear error', (_what, configs, words) => {
    expect(() => open(configs)).toThrow(words);
  });

  test('repeats reads, tells of each attempt, and takes the budget for each', async () => {
    const { url, count } = await serverOf([500]);
    const reports: CallReport[] = [];
    const taken: string[] = [];
    const budget: RateBudget = {
      take: (request) => {
        taken.push(`${request.scope} ${request.class} ${request.weight}`);
        return Promise.resolve({ granted: true });
      },
      ban: () => Promise.resolve(),
    };
    const venue = open([config({ httpUrl: url })], { budget, onCall: (report) => reports.push(report), onSocketEvent: () => undefined }).get('paper');
    expect(await venue?.markets(read)).toEqual([]);
    expect([count(), taken]).toEqual([2, ['paper read 1', 'paper read 1']]);
    expect(reports.map(({ venue: name, call, outcome }) => [name, call, outcome])).toEqual([['paper', 'markets', 'unknown'], ['paper', 'markets', 'ok']]);
  });
  test('keeps away from a venue that said so, exits too, and from one that is silent', async () => {
    const { url, count } = await serverOf([429]);
    const venue = open([config({ httpUrl: url })]).get('paper');
    expect(await errorOf(venue?.markets(read) ?? Promise.resolve())).toMatchObject({ name: 'VenueRateLimited', by: 'venue', retryAfterMs: 60_000 });
    expect(await errorOf(venue?.markets({ ...read, priority: 'exit' }) ?? Promise.resolve())).toMatchObject({ name: 'VenueRateLimited', by: 'venue' });
    expect(count()).toBe(1);
  });
  test('opens the breaker for entries, lets exits pass, and never repeats a send', async () => {
    const changes: string[] = [];
    const reported: unknown[] = [];
    const budget: RateBudget = { take: () => Promise.reject(new Error('away')), ban: () => Promise.resolve() };
    const venue = open([config()], { budget, breaker: { failures: 2, openForMs: 60_000, maxOpenForMs: 60_000 }, onBreakerChange: (name, state) => changes.push(`${name} ${state}`), onBudgetError: (error) => reported.push(error) }).get('paper');
    const session = venue?.session({ key: 'k' });
    const request = session?.prepareCancel([{ venueClientId: 'c', venueOrderId: null, venueSymbol: 'S' }], { nonce: null, venueDeadlineMs: 1 });
    const send = (priority: SendOptions['priority']): Promise<unknown> =>
      errorOf(session?.send(request ?? { kind: 'cancel', bytes: '', nonce: null, venueDeadlineMs: null }, { maySend: () => Promise.resolve(true), sendBeforeMs: Date.now() + 10_000, signal: read.signal, priority }) ?? Promise.resolve());
    for (let index = 0; index < 3; index += 1) expect(await send('exit')).toMatchObject({ name: 'VenueUnavailable', reason: 'connection' });
    expect(await send('entry')).toMatchObject({ reason: 'breaker' });
    expect([changes, reported.length]).toEqual([['paper open'], 3]);
  });
});
