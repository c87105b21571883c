/** The two buses under one face: how to start, lose and bring back what stands between the processes. */
import { randomBytes } from 'node:crypto';
import { systemClock, type Clock } from '../../../src/domain/clock';
import type { Bus, BusReport } from '../../../src/streams/bus/bus';
import { startHub, type Hub } from '../../../src/streams/bus/hub';
import { HubBus } from '../../../src/streams/bus/hub-bus';
import { RedisBus } from '../../../src/streams/bus/redis-bus';
import { hasRedis, startRedis, type TestServer } from '../../support/servers';

/** Counts of what is granted must not depend on how busy this machine is. */
const PATIENT_MS = 10_000;

export interface BusHarness {
  readonly name: string;
  start(): Promise<void>;
  /** Another process's bus. */
  open(onReport?: (report: BusReport) => void, clock?: Clock): Bus;
  /** What stands between goes away at once, with all it knew. */
  kill(): Promise<void>;
  bringBack(): Promise<void>;
  stop(): Promise<void>;
}

export class HubHarness implements BusHarness {
  readonly name = 'hub';
  readonly token = randomBytes(24).toString('hex');
  hub: Hub | null = null;
  private port = 0;

  async start(): Promise<void> {
    this.hub = await startHub({ token: this.token, port: this.port });
    this.port = Number(new URL(this.hub.url).port);
  }
  open(onReport?: (report: BusReport) => void, clock: Clock = systemClock): Bus {
    return new HubBus({ url: `tcp://127.0.0.1:${this.port}`, token: this.token, clock, budgetAnswerMs: PATIENT_MS, ...(onReport ? { onReport } : {}) });
  }
  async kill(): Promise<void> {
    await this.hub?.close();
    this.hub = null;
  }
  bringBack(): Promise<void> {
    return this.start();
  }
  stop(): Promise<void> {
    return this.kill();
  }
}

export class RedisHarness implements BusHarness {
  readonly name = 'redis';
  server: TestServer | null = null;

  async start(): Promise<void> {
    this.server = await startRedis();
  }
  open(onReport?: (report: BusReport) => void, clock: Clock = systemClock, patient = true): Bus {
    if (!this.server) throw new Error('start Redis first');
    return new RedisBus({ url: this.server.url, clock, ...(patient ? { budgetAnswerMs: PATIENT_MS } : {}), ...(onReport ? { onReport } : {}) });
  }
  async kill(): Promise<void> {
    await this.server?.kill('SIGKILL');
  }
  async bringBack(): Promise<void> {
    await this.server?.restart();
  }
  async stop(): Promise<void> {
    await this.server?.stop();
  }
}

/** Both, or the hub alone where there is no redis-server: said aloud, and a failure in CI. */
export function busHarnesses(): BusHarness[] {
  if (hasRedis()) return [new HubHarness(), new RedisHarness()];
  if (process.env['CI'] === '1') throw new Error('CI needs a redis-server on PATH: the bus contract may not be skipped');
  process.stderr.write('SKIPPED: the bus contract over Redis: no redis-server on PATH\n');
  return [new HubHarness()];
}
