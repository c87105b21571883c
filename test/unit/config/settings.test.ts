import { describe, expect, test } from '@jest/globals';
import { isGiven, loadSettings, SettingError } from '../../../src/config/settings';

function messageOf(environment: Record<string, string>): string {
  try {
    loadSettings(environment);
  } catch (error) {
    if (error instanceof SettingError) return error.message;
    throw error;
  }
  return 'accepted';
}

describe('settings', () => {
  test('an empty environment gives the defaults that .env.example shows', () => {
    const settings = loadSettings({});
    expect(settings.port).toBe(3000);
    expect(settings.host).toBe('127.0.0.1');
    expect(settings.databaseUrl).toBeUndefined();
    expect(settings.absenceFinalAfterMs).toBe(120_000);
    expect(settings.venues).toEqual([{ name: 'paper', adapter: 'paper', httpUrl: undefined, wsUrl: undefined, network: undefined, dexes: [], dexesWithoutCloid: [], weightPerMinute: undefined }]);
  });

  test('a variable set to nothing counts as not given', () => {
    expect(loadSettings({ PORT: '' }).port).toBe(3000);
    expect(isGiven({ PORT: ' ' }, 'port')).toBe(false);
    expect(isGiven({ PORT: '3000' }, 'port')).toBe(true);
  });

  test.each([
    [{ PORT: 'abc' }, 'PORT must be an integer from 1 to 65535, got "abc"'],
    [{ PORT: '0' }, 'PORT must be an integer from 1 to 65535, got "0"'],
    [{ PORT: '65536' }, 'PORT must be an integer from 1 to 65535, got "65536"'],
    [{ PORT: '3000.5' }, 'PORT must be an integer from 1 to 65535, got "3000.5"'],
    [{ LOG_LEVEL: 'loud' }, 'LOG_LEVEL must be one of fatal, error, warn, info, debug, trace, silent, got "loud"'],
    [{ SUREFILL_LIMIT_ORDERS: '10' }, 'SUREFILL_LIMIT_ORDERS must be off, or a rate such as 10/s, 100/min, 5/h or 10/s burst 50, got "10"'],
    [{ SUREFILL_LIMIT_ORDERS: '0/s' }, 'SUREFILL_LIMIT_ORDERS must be off, or a rate such as 10/s, 100/min, 5/h or 10/s burst 50, got "0/s"'],
    [{ SUREFILL_CORS_ORIGINS: 'https://a.example.com/' }, 'SUREFILL_CORS_ORIGINS must be a comma list of origins, like https://terminal.example.com, got "https://a.example.com/"'],
    [{ SUREFILL_CORS_ORIGINS: '*' }, 'SUREFILL_CORS_ORIGINS must be a comma list of origins, like https://terminal.example.com, got "*"'],
    [{ SUREFILL_TRUSTED_PROXIES: '10.0.0.0/33' }, 'SUREFILL_TRUSTED_PROXIES must be a comma list of IP addresses or networks, like 10.0.0.0/8,127.0.0.1, got "10.0.0.0/33"'],
    [{ HOST: '0.0.0.0' }, 'HOST must be a loopback address: HTTP without TLS is not served beyond this host unless SUREFILL_PLAIN_HTTP=anywhere says that a proxy with TLS is in front, got "0.0.0.0"'],
    [{ HOST: '0.0.0.0', SUREFILL_PLAIN_HTTP: 'anywhere' }, 'accepted'],
    [{ HOST: '127.8.8.8', SUREFILL_TRUSTED_PROXIES: '10.0.0.0/8, ::1', SUREFILL_CORS_ORIGINS: 'https://a.example.com, http://localhost:8080', SUREFILL_LIMIT_ORDERS: '10/s burst 50', SUREFILL_LIMIT_READS: 'off' }, 'accepted'],
    [{ SUREFILL_DURATION_SCALE: '0' }, 'SUREFILL_DURATION_SCALE must be a number from 0.001 to 10, got "0"'],
    [{ SUREFILL_DURATION_SCALE: '1e1' }, 'SUREFILL_DURATION_SCALE must be a number from 0.001 to 10, got "1e1"'],
    [{ TEMPORAL_ADDRESS: 'localhost' }, 'TEMPORAL_ADDRESS must be host:port, like 127.0.0.1:7233, got "localhost"'],
    [
      { SUREFILL_PAPER_HTTP_URL: 'ftp://there' },
      'SUREFILL_PAPER_HTTP_URL must be a URL that starts with http:// or https://, got "ftp://there"',
    ],
    [{ SUREFILL_VENUES: 'paper,paper' }, 'SUREFILL_VENUES must name each venue once, paper is there twice, got "paper,paper"'],
    [
      { SUREFILL_VENUES: 'Paper' },
      'SUREFILL_VENUES must be a comma list of name or name:adapter (small letters, digits, dashes), got "Paper"',
    ],
  ])('a wrong setting is one clear line: %j', (environment, message) => {
    expect(messageOf(environment)).toBe(message);
  });

  test('a wrong secret is named but never printed', () => {
    expect(messageOf({ SUREFILL_MASTER_KEY: 'hunter2' })).toBe(
      'SUREFILL_MASTER_KEY must be 32 bytes in base64 or hexadecimal (openssl rand -hex 32)',
    );
    expect(messageOf({ DATABASE_URL: 'mysql://u:hunter2@h/db' })).toBe(
      'DATABASE_URL must be a URL that starts with postgresql:// or postgres://',
    );
  });

  test('a master key is read from hexadecimal and from base64', () => {
    const key = Buffer.alloc(32, 7);
    expect(loadSettings({ SUREFILL_MASTER_KEY: key.toString('hex') }).masterKey).toEqual(key);
    expect(loadSettings({ SUREFILL_MASTER_KEY: key.toString('base64') }).masterKey).toEqual(key);
  });

  test('the duration scale shortens the long waits and leaves the deadline of a placement alone', () => {
    const settings = loadSettings({ SUREFILL_DURATION_SCALE: '0.1' });
    expect(settings.absenceFinalAfterMs).toBe(12_000);
    expect(settings.auditPollMs).toBe(3_000);
    expect(settings.placeDeadlineMs).toBe(10_000);
  });

  test('a stored value goes before the environment where the setting allows it, and nowhere else', () => {
    const settings = loadSettings({ SUREFILL_AUDIT_POLL_MS: '20000', PORT: '4000' }, { SUREFILL_AUDIT_POLL_MS: '10000', PORT: '5000' });
    expect(settings.auditPollMs).toBe(10_000);
    expect(settings.port).toBe(4000);
  });

  test('what an address may ask of a venue is the venue\'s own, or less where others ask from it too', () => {
    const of = (text: string) => loadSettings({ SUREFILL_VENUES: 'hyperliquid', SUREFILL_HYPERLIQUID_WEIGHT_PER_MINUTE: text }).venues[0]?.weightPerMinute;
    expect([of(''), of('600')]).toEqual([undefined, 600]);
    for (const wrong of ['0', '-1', '199', '1e3', 'many']) expect(() => of(wrong)).toThrow('SUREFILL_HYPERLIQUID_WEIGHT_PER_MINUTE must be a whole number from 200');
  });

  test('venues may share an adapter, each with its own addresses', () => {
    const { venues } = loadSettings({
      SUREFILL_VENUES: 'paper, paper-two:paper',
      SUREFILL_PAPER_TWO_HTTP_URL: 'http://127.0.0.1:9001',
      SUREFILL_PAPER_TWO_WS_URL: 'ws://127.0.0.1:9001/stream',
    });
    expect(venues).toEqual([
      { name: 'paper', adapter: 'paper', httpUrl: undefined, wsUrl: undefined, network: undefined, dexes: [], dexesWithoutCloid: [], weightPerMinute: undefined },
      { name: 'paper-two', adapter: 'paper', httpUrl: 'http://127.0.0.1:9001', wsUrl: 'ws://127.0.0.1:9001/stream', network: undefined, dexes: [], dexesWithoutCloid: [], weightPerMinute: undefined },
    ]);
  });
});
