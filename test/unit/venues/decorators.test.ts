import { describe, expect, test } from '@jest/globals';
import type { ReadOptions, SendOptions, SignedRequest, Venue, VenueAccountSession } from '../../../src/domain/venue';
import { VenueOutcomeUnknown, VenueRateLimited, VenueRefused, VenueUnavailable } from '../../../src/domain/venue-errors';
import { CircuitBreaker, DEFAULT_BREAKER_RULE, type BreakerState } from '../../../src/venues/circuit-breaker';
import { decorate, EFFECTFUL_CALLS, type VenueCall, type VenueCallName } from '../../../src/venues/decorate';
import { readRetry } from '../../../src/venues/read-retry';
import { telemetry, type CallReport } from '../../../src/venues/telemetry';

const call = (name: VenueCallName = 'openOrders', kind: VenueCall['class'] = 'read'): VenueCall => ({ venue: 'test', call: name, class: kind, signal: new AbortController().signal, sendBeforeMs: null, request: null });
const silence = (): Promise<never> => Promise.reject(new VenueOutcomeUnknown('test', 'nothing came', 'timeout'));
const noConnection = (): Promise<never> => Promise.reject(new VenueUnavailable('test', 'refused', 'connection'));
const answer = (): Promise<string> => Promise.resolve('answer');
const errorOf = (running: Promise<unknown>): Promise<unknown> => running.then(() => Promise.reject(new Error('expected an error')), (error: unknown) => error);

describe('the circuit breaker', () => {
  function breaker() {
    const clock = { ms: 0, nowMs: () => clock.ms };
    const states: BreakerState[] = [];
    const made = new CircuitBreaker('test', clock, DEFAULT_BREAKER_RULE, (_venue, state) => states.push(state));
    const fail = async (times: number, how: () => Promise<never> = silence, kind: VenueCall['class'] = 'read'): Promise<void> => {
      for (let index = 0; index < times; index += 1) await errorOf(made.around(call('openOrders', kind), how));
    };
    return { clock, states, made, fail };
  }

  test('opens after five silences in a row, and then sends nothing', async () => {
    const { made, fail, states } = breaker();
    await fail(4);
    expect(made.state).toBe('closed');
    await fail(1, noConnection);
    expect([made.state, states]).toEqual(['open', ['open']]);
    let sent = 0;
    const error = await errorOf(made.around(call('send', 'entry'), () => Promise.resolve(++sent)));
    expect(error).toBeInstanceOf(VenueUnavailable);
    expect([sent, (error as VenueUnavailable).reason]).toEqual([0, 'breaker']);
  });
  test('counts only silence: refusals and limits of the venue are answers, our own limits say nothing', async () => {
    const { made, fail } = breaker();
    await fail(4);
    await errorOf(made.around(call(), () => Promise.reject(new VenueRateLimited('test', 'ours', 1, 'budget'))));
    await errorOf(made.around(call(), () => Promise.reject(new VenueUnavailable('test', 'fence', 'fence'))));
    await errorOf(made.around(call(), () => Promise.reject(new Error('a bug'))));
    await fail(1);
    expect(made.state).toBe('open');
    const other = breaker();
    for (const error of [new VenueRefused('test', 'other', 'X', 'no'), new VenueRateLimited('test', 'theirs', 1, 'venue')]) {
      await other.fail(4);
      await errorOf(other.made.around(call(), () => Promise.reject(error)));
    }
    await other.fail(4);
    expect(other.made.state).toBe('closed');
  });
  test('lets exits and outcome queries pass while open, and an answer to one closes it', async () => {
    const { made, fail, states } = breaker();
    await fail(5);
    await fail(3, silence, 'exit');
    expect(made.state).toBe('open');
    expect(await made.around(call('findOrder', 'exit'), answer)).toBe('answer');
    expect([made.state, states]).toEqual(['closed', ['open', 'closed']]);
  });
  test('lets pass what a protection waits for, though it is no exit', async () => {
    const { made, fail } = breaker();
    await fail(5);
    expect(await errorOf(made.around(call('trades'), answer))).toMatchObject({ reason: 'breaker' });
    expect(await made.around({ ...call('trades'), passesBreaker: true }, answer)).toBe('answer');
  });
  test('tries with one call when half-open, and closes on its answer', async () => {
    const { made, fail, clock, states } = breaker();
    await fail(5);
    clock.ms += 1_000;
    expect(made.state).toBe('halfOpen');
    let finish: (value: string) => void = () => undefined;
    const trial = made.around(call(), () => new Promise<string>((resolve) => (finish = resolve)));
    expect(await errorOf(made.around(call(), answer))).toMatchObject({ reason: 'breaker' });
    finish('back');
    expect(await trial).toBe('back');
    expect([made.state, states]).toEqual(['closed', ['open', 'halfOpen', 'closed']]);
    expect(await made.around(call(), answer)).toBe('answer');
  });
  test('stays open twice as long after each trial that fails, up to a limit, and starts short again', async () => {
    const { made, fail, clock } = breaker();
    await fail(5);
    for (const openForMs of [1_000, 2_000, 4_000, 8_000, 10_000, 10_000]) {
      clock.ms += openForMs - 1;
      expect(made.state).toBe('open');
      clock.ms += 1;
      expect(made.state).toBe('halfOpen');
      await fail(1);
    }
    clock.ms += 10_000;
    await made.around(call(), answer);
    await fail(5);
    clock.ms += 1_000;
    expect(made.state).toBe('halfOpen');
  });
  test('a trial that never reached the venue decides nothing, and the next call tries', async () => {
    const { made, fail, clock } = breaker();
    await fail(5);
    clock.ms += 1_000;
    await errorOf(made.around(call(), () => Promise.reject(new VenueRateLimited('test', 'ours', 1, 'budget'))));
    expect(made.state).toBe('halfOpen');
    expect(await made.around(call(), answer)).toBe('answer');
  });
  test('needs nobody to watch it', async () => {
    const quiet = new CircuitBreaker('test', { nowMs: () => 0 });
    for (let index = 0; index < 5; index += 1) await errorOf(quiet.around(call(), silence));
    expect(quiet.state).toBe('open');
  });
});

describe('repeating reads', () => {
  function repeated(failures: number, how: () => Promise<never>, options: { name?: VenueCallName; abortedAfter?: number } = {}) {
    const slept: number[] = [];
    let tries = 0;
    const around = readRetry({
      random: () => 0.5,
      sleep: (ms) => {
        slept.push(ms);
        return Promise.resolve(slept.length !== options.abortedAfter);
      },
    });
    const run = (): Promise<string> => {
      tries += 1;
      return tries <= failures ? how() : answer();
    };
    return { result: around(call(options.name), run), slept, tries: () => tries };
  }

  test('goes on to the answer, waiting between 1 s and 10 s', async () => {
    const { result, slept, tries } = repeated(3, silence);
    expect([await result, tries(), slept]).toEqual(['answer', 4, [1_500, 2_500, 4_500]]);
  });
  test('ends after three repeats with the error of the last', async () => {
    const { result, tries } = repeated(9, noConnection);
    expect(await errorOf(result)).toMatchObject({ reason: 'connection' });
    expect(tries()).toBe(4);
  });
  test.each([
    ['a refusal', () => Promise.reject(new VenueRefused('test', 'other', 'X', 'no'))],
    ['a limit', () => Promise.reject(new VenueRateLimited('test', 'wait', 1, 'venue'))],
    ['an open breaker', () => Promise.reject(new VenueUnavailable('test', 'open', 'breaker'))],
    ['an answer of another shape', () => Promise.reject(new VenueOutcomeUnknown('test', 'what', 'unreadable'))],
    ['a bug', () => Promise.reject(new TypeError('bug'))],
  ])('is not done after %s', async (_what, how) => {
    const { result, tries } = repeated(1, how);
    await errorOf(result);
    expect(tries()).toBe(1);
  });
  test.each([...EFFECTFUL_CALLS])('is never done for %s', async (name) => {
    const { result, tries } = repeated(1, silence, { name });
    expect(await errorOf(result)).toBeInstanceOf(VenueOutcomeUnknown);
    expect(tries()).toBe(1);
  });
  test('ends with its caller', async () => {
    const { result, tries } = repeated(9, silence, { abortedAfter: 2 });
    expect(await errorOf(result)).toBeInstanceOf(VenueOutcomeUnknown);
    expect(tries()).toBe(2);
  });
  test('with the real clock ends at once for a caller that is gone', async () => {
    const gone = { ...call(), signal: AbortSignal.abort() };
    expect(await errorOf(readRetry()(gone, silence))).toBeInstanceOf(VenueOutcomeUnknown);
  });
});

describe('telemetry', () => {
  test.each([
    ['ok', answer],
    ['refused', () => Promise.reject(new VenueRefused('test', 'other', 'X', 'no'))],
    ['rateLimited', () => Promise.reject(new VenueRateLimited('test', 'wait', 1, 'venue'))],
    ['unavailable', noConnection],
    ['unknown', silence],
    ['error', () => Promise.reject(new TypeError('bug'))],
  ])('tells %s, how long it took, and changes nothing', async (outcome, run: () => Promise<unknown>) => {
    const reports: CallReport[] = [];
    let now = 100;
    const around = telemetry((report) => reports.push(report), () => (now += 25));
    const settled = await around(call(), run).then(() => 'ok', () => 'failed');
    expect(settled).toBe(outcome === 'ok' ? 'ok' : 'failed');
    expect(reports).toEqual([{ venue: 'test', call: 'openOrders', outcome, latencyMs: 25 }]);
  });
  test('measures by the process clock', async () => {
    const reports: CallReport[] = [];
    await telemetry((report) => reports.push(report))(call(), answer);
    expect(reports[0]?.latencyMs).toBeGreaterThanOrEqual(0);
  });
});

describe('a decorated venue', () => {
  /** Answers each method with its own name and what it was given. */
  function echo<T extends object>(names: readonly string[], rest: object): T {
    const methods = Object.fromEntries(names.map((name) => [name, (...given: unknown[]) => Promise.resolve([name, ...given])]));
    return { ...methods, ...rest } as T;
  }
  const sessionNames = ['send', 'findOrder', 'openOrders', 'closedOrders', 'fillsSince', 'positions', 'balances', 'setLeverage', 'setDeadManSwitch'];
  const venueNames = ['markets', 'tickers', 'orderBook', 'trades', 'candles', 'funding', 'venueTimeMs', 'close'];
  const inner = echo<VenueAccountSession>(sessionNames, {
    preparePlace: (orders: unknown) => ['preparePlace', orders],
    prepareAmend: (amendment: unknown) => ['prepareAmend', amendment],
    prepareCancel: (orders: unknown) => ['prepareCancel', orders],
    streamPrivate: (onMessage: unknown) => ['streamPrivate', onMessage],
  });
  const venue = echo<Venue>(venueNames, { name: 'test', capabilities: {}, streamPublic: (symbols: unknown) => ['streamPublic', symbols], session: () => inner });
  const seen: VenueCall[] = [];
  const decorated = decorate(venue, (named, run) => {
    seen.push(named);
    return run();
  });
  const session = decorated.session({ key: 'k' });
  const read: ReadOptions = { signal: new AbortController().signal, priority: 'exit' };

  test('passes every call through, with what was given', async () => {
    expect(await decorated.markets(read)).toEqual(['markets', read]);
    expect(await decorated.tickers(read)).toEqual(['tickers', read]);
    expect(await decorated.orderBook('S', 5, read)).toEqual(['orderBook', 'S', 5, read]);
    expect(await decorated.trades('S', 6, read)).toEqual(['trades', 'S', 6, read]);
    expect(await decorated.candles('S', 1, 2, 3, read)).toEqual(['candles', 'S', 1, 2, 3, read]);
    expect(await decorated.funding('S', read)).toEqual(['funding', 'S', read]);
    expect(await session.findOrder({ venueClientId: 'c', venueOrderId: null, venueSymbol: 'S' }, read)).toEqual(['findOrder', { venueClientId: 'c', venueOrderId: null, venueSymbol: 'S' }, read]);
    expect(await session.openOrders(read)).toEqual(['openOrders', read]);
    expect(await session.closedOrders(7, read)).toEqual(['closedOrders', 7, read]);
    expect(await session.fillsSince(8, 'x', read)).toEqual(['fillsSince', 8, 'x', read]);
    expect(await session.positions(read)).toEqual(['positions', read]);
    expect(await session.balances(read)).toEqual(['balances', read]);
    expect(await session.setLeverage('S', '9', read, 'isolated')).toEqual(['setLeverage', 'S', '9', read, 'isolated']);
    expect(await session.setDeadManSwitch(10, read)).toEqual(['setDeadManSwitch', 10, read]);
    const names = ['markets', 'tickers', 'orderBook', 'trades', 'candles', 'funding', 'findOrder', 'openOrders', 'closedOrders', 'fillsSince', 'positions', 'balances', 'setLeverage', 'setDeadManSwitch'];
    expect(seen.map((each) => each.call)).toEqual(names);
    expect(new Set(seen.map((each) => each.class))).toEqual(new Set(['exit']));
  });
  test('passes on the question for the next nonce, and has none where the venue has none', async () => {
    expect(session.nextNonce).toBeUndefined();
    const strict = decorate(echo<Venue>(venueNames, { name: 'strict', capabilities: {}, session: () => echo<VenueAccountSession>(['nextNonce'], {}) }), (_named, run) => run());
    expect(await strict.session({ key: 'k' }).nextNonce?.(read)).toEqual(['nextNonce', read]);
  });
  test('passes on the question for funding payments, and has none where the venue has none', async () => {
    expect(session.fundingPayments).toBeUndefined();
    const charging = decorate(echo<Venue>(venueNames, { name: 'charging', capabilities: {}, session: () => echo<VenueAccountSession>(['fundingPayments'], {}) }), (_named, run) => run());
    expect(await charging.session({ key: 'k' }).fundingPayments?.(7, 'x', read)).toEqual(['fundingPayments', 7, 'x', read]);
  });
  test('tells of a send what is sent, how urgent, and until when', async () => {
    const request: SignedRequest = { kind: 'place', bytes: '{}', nonce: null, venueDeadlineMs: null };
    const options: SendOptions = { maySend: () => Promise.resolve(true), sendBeforeMs: 5, signal: read.signal, priority: 'entry' };
    expect(await session.send(request, options)).toEqual(['send', request, options]);
    expect(seen.at(-1)).toEqual({ venue: 'test', call: 'send', class: 'entry', signal: read.signal, sendBeforeMs: 5, request });
  });
  test('prepares, streams, tells the time and closes as they are', async () => {
    const before = seen.length;
    const context = { nonce: null, venueDeadlineMs: 1 };
    const ignore = (): void => undefined;
    expect(session.preparePlace([], context)).toEqual(['preparePlace', []]);
    expect(session.prepareCancel([], context)).toEqual(['prepareCancel', []]);
    const amendment = { order: { venueClientId: 'c', venueOrderId: null, venueSymbol: 'S' }, amendmentId: 'a', limitPrice: null, quantity: '1' };
    expect(session.prepareAmend(amendment, context)).toEqual(['prepareAmend', amendment]);
    expect(session.streamPrivate(ignore)).toEqual(['streamPrivate', ignore]);
    expect(decorated.streamPublic(['S'], ignore)).toEqual(['streamPublic', ['S']]);
    expect(await decorated.venueTimeMs(read)).toEqual(['venueTimeMs', read]);
    expect(await decorated.close()).toEqual(['close']);
    expect(seen).toHaveLength(before);
  });
});
