import { afterAll, describe, expect, test } from '@jest/globals';
import { Connection } from '@temporalio/client';
import Redis from 'ioredis';
import { dropDatabase, hasRedis, newDatabase, startPostgres, startRedis, startTemporal, type TestServer } from '../support/servers';
import { queried } from '../support/queried';

const servers: TestServer[] = [];
function kept(server: TestServer): TestServer {
  servers.push(server);
  return server;
}

afterAll(async () => {
  await Promise.all(servers.map((server) => server.stop()));
});

describe('servers of a test', () => {
  test('what PostgreSQL committed survives its SIGKILL, on the same address', async () => {
    const server = kept(await startPostgres());
    const database = await newDatabase(server.url);
    await queried(database, 'CREATE TABLE orders (id int)');
    await queried(database, 'INSERT INTO orders VALUES (7)');
    const before = server.pid;
    await server.kill('SIGKILL');
    await server.restart();
    expect(server.pid).not.toBe(before);
    expect(await queried(database, 'SELECT id FROM orders')).toEqual([{ id: 7 }]);
    await dropDatabase(server.url, database);
    await expect(queried(database, 'SELECT 1')).rejects.toThrow('does not exist');
  });

  test('PostgreSQL asks for a password', async () => {
    const server = kept(await startPostgres());
    const url = new URL(server.url);
    url.password = 'guess';
    await expect(queried(url.href, 'SELECT 1')).rejects.toThrow('password authentication failed');
  });

  test('Temporal has our search attributes and keeps them over a SIGKILL', async () => {
    const server = kept(await startTemporal());
    const attributes = async (): Promise<string[]> => {
      const connection = await Connection.connect({ address: server.url });
      try {
        const { customAttributes } = await connection.operatorService.listSearchAttributes({ namespace: 'default' });
        return Object.keys(customAttributes ?? {});
      } finally {
        await connection.close();
      }
    };
    const ours = ['AccountId', 'ClientOrderIds', 'Market', 'OrderKind', 'OrderState', 'Venue'];
    expect(await attributes()).toEqual(expect.arrayContaining(ours));
    await server.kill('SIGKILL');
    await server.restart();
    expect(await attributes()).toEqual(expect.arrayContaining(ours));
  });

  (hasRedis() ? test : test.skip)('Redis asks for a password and forgets everything when it restarts', async () => {
    const server = kept(await startRedis());
    const client = new Redis(server.url);
    await client.set('price', '1');
    expect(await client.get('price')).toBe('1');
    client.disconnect();
    await server.restart();
    const again = new Redis(server.url);
    expect(await again.get('price')).toBeNull();
    again.disconnect();
    const stranger = new Redis({ port: server.port, host: '127.0.0.1', enableReadyCheck: false });
    await expect(stranger.get('price')).rejects.toThrow('NOAUTH');
    stranger.disconnect();
  });
});
