/** A receiver of bench/webhooks.ts, in a process of its own: `/flaky` answers 500 to each tenth, `/healthy` 204, `/dead` nothing. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface TargetReport {
  readonly requests: number;
  readonly accepted: number;
  /** From the moment in the body's data to its arrival, ms. */
  readonly latenciesMs: readonly number[];
}

/** One in so many fails. */
const FAILS_EVERY = 10;
let report: { requests: number; accepted: number; latenciesMs: number[] } = { requests: 0, accepted: 0, latenciesMs: [] };

const server = createServer((request, response) => {
  const parts: Buffer[] = [];
  request.on('data', (part: Buffer) => parts.push(part));
  request.on('end', () => {
    if (request.url === '/dead') return;
    report.requests += 1;
    const isRefused = request.url === '/flaky' && report.requests % FAILS_EVERY === 0;
    if (!isRefused) report.accepted += 1;
    if (request.url === '/healthy') {
      const { data } = JSON.parse(Buffer.concat(parts).toString('utf8')) as { data: { madeAtMs: number } };
      report.latenciesMs.push(performance.timeOrigin + performance.now() - data.madeAtMs);
    }
    response.writeHead(isRefused ? 500 : 204).end();
  });
}).listen(0, '127.0.0.1', () => process.send?.({ port: (server.address() as AddressInfo).port }));

process.on('message', () => {
  process.send?.(report);
  report = { requests: 0, accepted: 0, latenciesMs: [] };
});
process.on('disconnect', () => process.exit(0));
