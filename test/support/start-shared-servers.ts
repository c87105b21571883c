import { hasRedis, startPostgres, startRedis, startTemporal, type TestServer } from './servers';

declare global {
  // Jest gives its set-up and its tear-down no other common place.
  var surefillSharedServers: TestServer[] | undefined;
}

/** Jest's global set-up: one PostgreSQL, Temporal and, where the machine has it, Redis for all files of the run. */
export default async function startSharedServers(): Promise<void> {
  const [postgres, temporal, redis] = await Promise.all([
    startPostgres(),
    startTemporal({ durable: false }),
    hasRedis() ? startRedis() : Promise.resolve(undefined),
  ]);
  globalThis.surefillSharedServers = [postgres, temporal, ...(redis ? [redis] : [])];
  // Workers inherit the environment that they find when they start, after this.
  process.env['SUREFILL_TEST_DATABASE_URL'] = postgres.url;
  process.env['SUREFILL_TEST_TEMPORAL_ADDRESS'] = temporal.url;
  if (redis) process.env['SUREFILL_TEST_REDIS_URL'] = redis.url;
}
