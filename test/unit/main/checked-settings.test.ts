/** A wrong setting is one clear line before anything is started, also where only the machine can tell that it is wrong. */
import { afterAll, describe, expect, test } from '@jest/globals';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { loadSettings } from '../../../src/config/settings';
import { parseVenueSettings } from '../../../src/config/venue-settings';
import { checkPaperData, checkVenues, strayNames } from '../../../src/main/checked-settings';
import { Home } from '../../../src/main/launcher/home';

const folder = mkdtempSync(path.join(os.tmpdir(), 'surefill-settings-'));
const file = path.join(folder, 'recording.jsonl');
writeFileSync(file, '');
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe('venues', () => {
  test('one that no adapter speaks to is told with those that there are', () => {
    expect(() => checkVenues(parseVenueSettings('paper,binance', {}))).toThrow('SUREFILL_VENUES must name adapters that there are (hyperliquid, paper), got "binance"');
    expect(() => checkVenues(parseVenueSettings('mine:constructor', {}))).toThrow('got "constructor"');
    expect(() => checkVenues(parseVenueSettings('paper,paper2:paper,hyperliquid', {}))).not.toThrow();
  });

  test('one address of a venue asks for the other', () => {
    expect(() => checkVenues(parseVenueSettings('paper', { SUREFILL_PAPER_HTTP_URL: 'http://a' }))).toThrow('SUREFILL_PAPER_WS_URL must be set too, where SUREFILL_PAPER_HTTP_URL is');
    expect(() => checkVenues(parseVenueSettings('paper', { SUREFILL_PAPER_WS_URL: 'ws://a' }))).toThrow('SUREFILL_PAPER_HTTP_URL must be set too, where SUREFILL_PAPER_WS_URL is');
    expect(() => checkVenues(parseVenueSettings('paper', { SUREFILL_PAPER_WS_URL: 'ws://a', SUREFILL_PAPER_HTTP_URL: 'http://a' }))).not.toThrow();
  });
});

describe('the recording of the paper venue', () => {
  const venues = parseVenueSettings('paper', {});

  const checked = (paperData: string | undefined, paperDataMarket?: string): Promise<void> => checkPaperData({ venues, paperData, paperDataMarket });
  function made(name: string, text: string): string {
    const recording = path.join(folder, name);
    writeFileSync(recording, text);
    return recording;
  }

  test('has to be a file that can be read', async () => {
    await expect(checked(path.join(folder, 'missing'))).rejects.toThrow(`SUREFILL_PAPER_DATA must be a file that can be read (ENOENT), got ${JSON.stringify(path.join(folder, 'missing'))}`);
    await expect(checked(folder)).rejects.toThrow('SUREFILL_PAPER_DATA must be a file, not a folder');
    await expect(checked(undefined)).resolves.toBeUndefined();
  });

  test.each<[string, string, string]>([
    ['empty.jsonl', '', 'empty.jsonl is empty'],
    ['letter.txt', 'Dear venue,\n', 'letter.txt is of no known format: give Bybit order-book lines'],
    ['half.jsonl', '{"topic":"orderbook.500.XRPUSDT","ts":1', 'half.jsonl line 1 is not JSON'],
    ['other.jsonl', '{"hello":"world"}\n', 'other.jsonl line 1 is not an order-book message'],
    ['header-only-ethusdt.csv', 'timestamp,side,price,amount\n', 'header-only-ethusdt.csv holds nothing: no message, trade or candle'],
    ['nameless.csv', 'timestamp,side,price,amount\n', 'say which one with SUREFILL_PAPER_DATA_MARKET'],
  ])('%s is told before anything is started, in one line', async (name, text, reason) => {
    const message = await checked(made(name, text)).then(() => 'accepted', (error: Error) => error.message);
    expect(message).toMatch(/^SUREFILL_PAPER_DATA must be a recording that the paper venue can play: [^\n]+$/);
    expect(message).toContain(reason);
  });

  test('that can be played is taken, and its market can be said', async () => {
    const trades = made('nameless-2.csv', 'timestamp,side,price,amount\n1675296000000,buy,1500.5,1\n');
    await expect(checked(trades, 'ETH-PERP')).resolves.toBeUndefined();
    await expect(checked(trades, 'NONE-PERP')).rejects.toThrow('SUREFILL_PAPER_DATA_MARKET NONE-PERP is no market here; there are BTC-PERP');
  });

  test('is nobody\'s business where the simulator runs elsewhere', async () => {
    const elsewhere = parseVenueSettings('paper', { SUREFILL_PAPER_WS_URL: 'ws://a', SUREFILL_PAPER_HTTP_URL: 'http://a' });
    await expect(checkPaperData({ venues: elsewhere, paperData: '/not/here', paperDataMarket: undefined })).resolves.toBeUndefined();
  });
});

describe('a name that is none of a setting', () => {
  const stray = (environment: Record<string, string>): readonly string[] => strayNames(environment, loadSettings(environment));

  test('is found, so that a misspelt limit is not taken for a set one', () => {
    expect(stray({ SUREFILL_PAPERDATA: 'x', SUREFILL_LIMIT_ORDER: '1/s', SUREFILL_SEED: '' })).toEqual(['SUREFILL_LIMIT_ORDER', 'SUREFILL_PAPERDATA']);
  });

  test('also where its venue or chain is not named', () => {
    expect(stray({ SUREFILL_PAPER2_HTTP_URL: 'http://a', SUREFILL_ARBITRUM_CONFIRMATIONS: '3' })).toEqual(['SUREFILL_ARBITRUM_CONFIRMATIONS', 'SUREFILL_PAPER2_HTTP_URL']);
    expect(stray({ SUREFILL_VENUES: 'paper,paper2:paper', SUREFILL_PAPER2_HTTP_URL: 'http://a', SUREFILL_PAPER2_WS_URL: 'ws://a', SUREFILL_DEPOSIT_CHAINS: 'arbitrum:42161', SUREFILL_ARBITRUM_RPC_URLS: 'https://a', SUREFILL_ARBITRUM_CONFIRMATIONS: '3' })).toEqual([]);
  });

  test('is not one of another program, nor one of our tests', () => {
    expect(stray({ PATH: '/bin', HOME: '/root', SUREFILL_HOME: 'x', SUREFILL_TEST_FULL: '1', SUREFILL_SHARED_DATA: 'x' })).toEqual([]);
  });
});

describe('SUREFILL_HOME', () => {
  // Under /proc no folder can be made, and Node's own recursive mkdir never returns there.
  const impossible = [path.join(file, 'home'), file, ...(existsSync('/proc/self') ? ['/proc/surefill/home'] : [])];

  test.each(impossible.map((home) => [home]))('%s cannot be one', (home) => {
    expect(() => new Home(home)).toThrow(/^SUREFILL_HOME must be a folder that can be made and written to \(E[A-Z]+\), got "[^"]+"$/);
  });

  test('is made with the folders above it', () => {
    const home = new Home(path.join(folder, 'a', 'b'));
    expect(existsSync(home.path('run'))).toBe(true);
  });
});
