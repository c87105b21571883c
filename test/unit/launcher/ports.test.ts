import { createServer, type Server } from 'node:net';
import { once } from 'node:events';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { acceptsConnections, choosePort, freePort, isPortFree, PortInUse, type PortWish } from '../../../src/main/launcher/ports';

let server: Server;
let used = 0;
let said: string[] = [];

beforeEach(async () => {
  said = [];
  server = createServer().listen({ port: 0, host: '127.0.0.1' });
  await once(server, 'listening');
  const address = server.address();
  used = typeof address === 'object' && address ? address.port : 0;
});

afterEach(() => new Promise<void>((resolve) => void server.close(() => resolve())));

function wish(overrides: Partial<PortWish>): PortWish {
  return { what: 'the API', env: 'PORT', port: used, given: false, taken: new Set(), say: (text) => void said.push(text), ...overrides };
}

test('a default port in use gives way to the next free one, said aloud', async () => {
  const port = await choosePort(wish({}));
  expect(port).toBeGreaterThan(used);
  expect(said).toEqual([`port ${used} is in use, the API takes ${port} (set PORT to choose)`]);
});

test('a port that was asked for and is in use is a clear error, never silently another', async () => {
  await expect(choosePort(wish({ given: true }))).rejects.toThrow(
    new PortInUse(`PORT=${used} is in use: stop what listens there, or set PORT to another port for the API`),
  );
  expect(said).toEqual([]);
});

test('a free port is taken as it is, without a word', async () => {
  const port = await freePort();
  expect(await choosePort(wish({ port, given: true }))).toBe(port);
  expect(said).toEqual([]);
});

test('two servers of one start never get the same port', async () => {
  const port = await freePort();
  expect(await choosePort(wish({ port, taken: new Set([port]) }))).not.toBe(port);
});

test('a listening port is neither free nor silent', async () => {
  expect(await isPortFree(used)).toBe(false);
  expect(await acceptsConnections(used)).toBe(true);
  const port = await freePort();
  expect(await isPortFree(port)).toBe(true);
  expect(await acceptsConnections(port)).toBe(false);
});
