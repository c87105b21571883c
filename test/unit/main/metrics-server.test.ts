import { afterEach, describe, expect, test } from '@jest/globals';
import { processRegistry } from '../../../src/main/metrics/process-registry';
import { serveMetrics, type MetricsServer } from '../../../src/main/metrics/server';

const open: MetricsServer[] = [];

async function started(port = 0): Promise<MetricsServer> {
  const server = await serveMetrics(processRegistry(), '127.0.0.1', port);
  open.push(server);
  return server;
}

afterEach(async () => {
  await Promise.all(open.splice(0).map((server) => server.close()));
});

describe('the metrics of a worker or watcher', () => {
  test('are served as Prometheus reads them, with our prefix', async () => {
    const answer = await fetch((await started()).url);
    expect(answer.status).toBe(200);
    expect(answer.headers.get('content-type')).toContain('text/plain');
    expect(await answer.text()).toMatch(/^surefill_process_cpu_seconds_total \d/m);
  });

  test('are all that is served', async () => {
    const { url } = await started();
    expect((await fetch(url.replace('/metrics', '/'))).status).toBe(404);
    expect((await fetch(url, { method: 'POST' })).status).toBe(405);
  });

  test('take the port that was asked for or fail, and give it back', async () => {
    const first = await started();
    const port = Number(new URL(first.url).port);
    await expect(serveMetrics(processRegistry(), '127.0.0.1', port)).rejects.toMatchObject({ code: 'EADDRINUSE' });
    await open.pop()?.close();
    expect((await started(port)).url).toBe(first.url);
  });
});
