/**
 * Committed histories: histories/<workflow>/<ending>.json. Their JSON is protobuf's plain object form (enums by name, bytes in
 * base64), because the SDK's own conversion depends on how a package manager lays out one of its dependencies.
 */
import { temporal } from '@temporalio/proto';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';

const { History } = temporal.api.history.v1;
export type History = temporal.api.history.v1.IHistory;

export interface HistoryFile {
  readonly workflow: string;
  readonly ending: string;
  readonly workflowId: string;
  readonly history: History;
}

const FOLDER = path.join(__dirname, 'histories');

export function readHistories(): HistoryFile[] {
  return readdirSync(FOLDER).flatMap((workflow) =>
    readdirSync(path.join(FOLDER, workflow)).map((file) => {
      const { workflowId, history } = JSON.parse(readFileSync(path.join(FOLDER, workflow, file), 'utf8')) as { workflowId: string; history: Record<string, unknown> };
      return { workflow, ending: path.basename(file, '.json'), workflowId, history: History.fromObject(history) };
    }),
  );
}

/** The file's path. */
export function writeHistory({ workflow, ending, workflowId, history }: HistoryFile): string {
  const plain: unknown = History.toObject(History.fromObject(history), { longs: String, enums: String, bytes: String });
  const file = path.join(FOLDER, workflow, `${ending}.json`);
  mkdirSync(path.dirname(file), { recursive: true });
  writeFileSync(file, `${JSON.stringify({ workflowId, history: plain }, withoutMachine, 1)}\n`);
  return file;
}

/** Which process on which machine did it is nobody's business. */
function withoutMachine(key: string, value: unknown): unknown {
  return key === 'identity' || key === 'workerIdentity' ? 'recorder' : value;
}
