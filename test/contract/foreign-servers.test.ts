import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { Connection } from '@temporalio/client';
import { greetPostgres } from '../../src/main/launcher/postgres';
import { freePort } from '../../src/main/launcher/ports';
import { answersTemporal } from '../../src/main/launcher/temporal';
import { ensureSearchAttributes, registerSearchAttributes } from '../../src/temporal/register-search-attributes';
import { newDatabase, sharedServers, startTemporal, type TestServer } from '../support/servers';

const KEYWORD = 2;
const KEYWORD_LIST = 7;
const INT = 3;
const DAY_SECONDS = 86_400;

describe('a Temporal server of the user', () => {
  let temporal: TestServer;
  let connection: Connection;

  beforeAll(async () => {
    temporal = await startTemporal({ durable: false });
    connection = await Connection.connect({ address: temporal.url });
  });

  afterAll(async () => {
    await connection.close();
    await temporal.stop();
  });

  async function newNamespace(namespace: string): Promise<void> {
    await connection.workflowService.registerNamespace({ namespace, workflowExecutionRetentionPeriod: { seconds: DAY_SECONDS as never } });
    while (!(await answersTemporal(temporal.url, namespace))) await new Promise((resolve) => setImmediate(resolve));
  }

  async function attributesOf(namespace: string): Promise<Record<string, number>> {
    const { customAttributes } = await connection.operatorService.listSearchAttributes({ namespace });
    return Object.fromEntries(Object.entries(customAttributes ?? {}).map(([name, type]) => [name, Number(type)]));
  }

  test('gets the search attributes it lacks, once', async () => {
    await newNamespace('theirs');
    await registerSearchAttributes(temporal.url, 'theirs');
    await registerSearchAttributes(temporal.url, 'theirs');
    expect(await attributesOf('theirs')).toMatchObject({ Venue: KEYWORD, AccountId: KEYWORD_LIST, ClientOrderIds: KEYWORD_LIST });
  });

  test('is refused when one of ours has another type there', async () => {
    await newNamespace('other-types');
    await connection.operatorService.addSearchAttributes({ namespace: 'other-types', searchAttributes: { AccountId: KEYWORD } });
    await expect(registerSearchAttributes(temporal.url, 'other-types')).rejects.toThrow(
      `search attribute AccountId at ${temporal.url} is not of type KeywordList: use another namespace`,
    );
  });

  test('gives a role its attributes as the role starts; one that does not let it look is told of, not fatal', async () => {
    await newNamespace('roles');
    const refused: Error[] = [];
    await ensureSearchAttributes(temporal.url, 'roles', (error) => refused.push(error));
    expect(await attributesOf('roles')).toMatchObject({ Market: KEYWORD_LIST });
    expect(refused).toEqual([]);
    await ensureSearchAttributes(temporal.url, 'absent', (error) => refused.push(error));
    expect(refused).toHaveLength(1);
    await connection.operatorService.removeSearchAttributes({ namespace: 'roles', searchAttributes: ['Venue'] });
    await connection.operatorService.addSearchAttributes({ namespace: 'roles', searchAttributes: { Venue: INT } });
    await expect(ensureSearchAttributes(temporal.url, 'roles', (error) => refused.push(error))).rejects.toThrow('use another namespace');
  });

  test('does not answer for a namespace that it does not have, nor where nothing listens', async () => {
    expect(await answersTemporal(temporal.url, 'absent')).toBe(false);
    expect(await answersTemporal(`127.0.0.1:${await freePort()}`, 'default')).toBe(false);
  });
});

describe('a PostgreSQL server of the user', () => {
  test('is accepted when it serves, and named without its password when it does not', async () => {
    const { databaseUrl } = await sharedServers();
    const url = await newDatabase(databaseUrl);
    await expect(greetPostgres(url)).resolves.toBeUndefined();
    const port = await freePort();
    await expect(greetPostgres(`postgresql://me:hunter2@127.0.0.1:${port}/mine`)).rejects.toThrow(
      new RegExp(`^DATABASE_URL names 127\\.0\\.0\\.1:${port}/mine, which does not serve \\(.*ECONNREFUSED.*\\): start it, or unset the variable$`),
    );
  });
});
