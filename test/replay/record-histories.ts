/**
 * Records the histories that replay.test.ts replays: `node -r ./scripts/typescript.js test/replay/record-histories.ts
 * [workflow[/ending]]`. Run it when a workflow or an ending is new, or after a change that is meant to break replay; never to
 * make a failing replay pass while such workflows run somewhere.
 *
 * Each ending has a fresh server, to whom a history is long after 150 events: continuing as new then takes seconds.
 */
import { defineSearchAttributeKey, SearchAttributeType } from '@temporalio/common';
import { TestWorkflowEnvironment } from '@temporalio/testing';
import { bundleWorkflowCode, DefaultLogger, Runtime, Worker } from '@temporalio/worker';
import path from 'node:path';
import searchAttributes from '../../temporal/search-attributes.json';
import { findTemporal } from '../../src/main/launcher/temporal-program';
import { TASK_QUEUES } from '../../src/temporal/task-queues';
import { ENDINGS } from './endings';
import type { Ending } from './executions';
import { writeHistory } from './history-files';
import { scriptedActivities } from './scripted-activities';

const LONG_AFTER_EVENTS = 150;

async function main(): Promise<void> {
  const wanted = process.argv[2] ?? '';
  const endings = ENDINGS.filter(({ workflow, ending }) => `${workflow}/${ending}`.startsWith(wanted));
  if (endings.length === 0) throw new Error(`no ending is called ${wanted}`);
  Runtime.install({ logger: new DefaultLogger('ERROR'), telemetryOptions: { logging: { filter: { core: 'ERROR', other: 'ERROR' } } } });
  const program = await findTemporal({ environment: process.env, versionOfData: undefined, say: (text) => void process.stderr.write(`${text}\n`) });
  const workflowBundle = await bundleWorkflowCode({ workflowsPath: path.join(__dirname, '..', '..', 'src', 'workflows', 'index.ts'), logger: new DefaultLogger('ERROR') });
  for (const ending of endings) await record(ending, program.file, workflowBundle);
}

async function record(ending: Ending, temporal: string, workflowBundle: { code: string }): Promise<void> {
  const environment = await TestWorkflowEnvironment.createLocal({
    server: {
      executable: { type: 'existing-path', path: temporal },
      searchAttributes: searchAttributes.map(({ name, type }) => defineSearchAttributeKey(name, type === 'KeywordList' ? SearchAttributeType.KEYWORD_LIST : SearchAttributeType.KEYWORD)),
      extraArgs: ['--dynamic-config-value', `limit.historyCount.suggestContinueAsNew=${LONG_AFTER_EVENTS}`],
    },
  });
  try {
    const activities = scriptedActivities(ending.script);
    const workers = await Promise.all(Object.values(TASK_QUEUES).map((taskQueue) => Worker.create({ connection: environment.nativeConnection, taskQueue, workflowBundle, activities })));
    const running = Promise.all(workers.map((worker) => worker.run()));
    const [workflowId = '', runId] = (await ending.run(environment.client)).split(' ');
    const history = await environment.client.workflow.getHandle(workflowId, runId).fetchHistory();
    for (const worker of workers) worker.shutdown();
    await running;
    const file = writeHistory({ ...ending, workflowId, history });
    process.stdout.write(`${path.relative(process.cwd(), file)}: ${history.events?.length ?? 0} events\n`);
  } finally {
    await environment.teardown();
  }
}

void main().then(
  () => process.exit(0),
  (error: unknown) => {
    process.stderr.write(`${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`);
    process.exit(1);
  },
);
