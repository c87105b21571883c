/** Replays histories, and says of each what came of it. */
import { DefaultLogger, Runtime, Worker, type WorkflowBundle } from '@temporalio/worker';
import type { HistoryFile } from './history-files';

export const silent = new DefaultLogger('ERROR', () => undefined);

/** What does not replay is told by the results; the core would tell it to the console too. */
export function beQuiet(): void {
  Runtime.install({ logger: silent, shutdownSignals: [], telemetryOptions: { logging: { filter: { core: 'ERROR', other: 'ERROR' } } } });
}

export interface Replayed {
  readonly file: HistoryFile;
  /** The error's name; null when the code does what the history says. */
  readonly error: string | null;
}

export async function replay(workflowBundle: WorkflowBundle, files: readonly HistoryFile[]): Promise<Replayed[]> {
  const results: Replayed[] = [];
  for await (const { error } of Worker.runReplayHistories({ workflowBundle, replayName: 'histories' }, files.map(({ workflowId, history }) => ({ workflowId, history })))) {
    const file = files[results.length];
    if (file === undefined) throw new Error('more results than histories');
    results.push({ file, error: error?.name ?? null });
  }
  if (results.length !== files.length) throw new Error(`${files.length} histories, ${results.length} results`);
  return results;
}
