/** Runs the Temporal workers of a role, and watches that Temporal stays the one they know. */
import { existsSync } from 'node:fs';
import path from 'node:path';
import { HistoryMark } from '../temporal/executions';
import { ensureSearchAttributes } from '../temporal/register-search-attributes';
import { installTemporalRuntime, runWorkers, type TaskQueue } from '../temporal/workers';
import type { RunningRole } from './index';
import { freePort } from './launcher/ports';
import { serveMetrics } from './metrics/server';
import type { Platform } from './platform';

export interface Serving {
  readonly identity?: string;
  readonly taskQueues: readonly TaskQueue[];
  readonly activities: object;
  readonly activitiesOutliveAbsence?: boolean;
  /** Called at each look at Temporal, every sweep interval. */
  readonly lookAfter?: () => Promise<void>;
}

export async function serve({ settings, logger, registry, payloadCodec, temporal }: Platform, { identity, taskQueues, activities, activitiesOutliveAbsence, lookAfter }: Serving): Promise<RunningRole> {
  const workflowBundlePath = path.join(__dirname, '..', 'workflow-bundle.js');
  if (!existsSync(workflowBundlePath)) throw new Error('the workflow bundle is not built: run npm run build');
  const corePort = settings.metricsPort === undefined ? null : await freePort();
  // Task tokens are long and say nothing to a person.
  installTemporalRuntime(({ message, meta }) => logger.warn({ ...meta, level: undefined, taskToken: undefined, err: meta?.['error'], error: undefined }, message), corePort === null ? null : `127.0.0.1:${corePort}`);
  const address = settings.temporalAddress ?? '';
  await ensureSearchAttributes(address, settings.temporalNamespace, (error) => logger.warn({ err: error }, 'search attributes could not be looked at: register those of temporal/search-attributes.json'));
  const mark = new HistoryMark(temporal.client);
  // Temporal may be away: asked again at the next look.
  const onFailedLook = (error: unknown): null => (logger.warn({ err: error }, 'Temporal could not be looked at'), null);
  const wentBack = (): Promise<string | null> => mark.wentBack().catch(onFailedLook);
  const workers = await runWorkers({
    address,
    namespace: settings.temporalNamespace,
    ...(identity === undefined ? {} : { identity }),
    taskQueues,
    workflowBundlePath,
    activities,
    codec: payloadCodec,
    ...(activitiesOutliveAbsence === undefined ? {} : { activitiesOutliveAbsence }),
    wentBack,
    onShift: (words) => logger.warn(words),
  });
  const look = async (): Promise<void> => {
    const why = await wentBack();
    if (why !== null) workers.forget(why);
    await lookAfter?.().catch(onFailedLook);
  };
  const timer = setInterval(() => void look(), settings.sweepIntervalMs);
  const metrics = settings.metricsPort === undefined ? null : await serveMetrics(registry, settings.host, settings.metricsPort, `http://127.0.0.1:${corePort}/metrics`);
  return {
    ended: workers.stopped,
    stop: async () => {
      clearInterval(timer);
      await workers.stop();
      await metrics?.close();
    },
  };
}
