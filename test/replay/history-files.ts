/**
 * Committed histories: <folder>/<workflow>/<ending>.json. Their JSON is protobuf's plain object form (enums by name, bytes in
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

/** One for each ending that is written down. */
const FOLDER = path.join(__dirname, 'histories');
/** Of executions that asked for each rule in its place (src/workflows/rules-of-run.ts): no code of ours can record such any more. */
const FOLDER_BEFORE_RULES = path.join(__dirname, 'histories-before-rules');

export const readHistories = (): HistoryFile[] => readFolder(FOLDER);
export const readHistoriesBeforeRules = (): HistoryFile[] => readFolder(FOLDER_BEFORE_RULES);

function readFolder(folder: string): HistoryFile[] {
  return readdirSync(folder).flatMap((workflow) =>
    readdirSync(path.join(folder, workflow)).map((file) => {
      const { workflowId, history } = JSON.parse(readFileSync(path.join(folder, workflow, file), 'utf8')) as { workflowId: string; history: Record<string, unknown> };
      return { workflow, ending: path.basename(file, '.json'), workflowId, history: History.fromObject(history) };
    }),
  );
}

/** The file's path. */
export function writeHistory({ workflow, ending, workflowId, history }: HistoryFile): string {
  const file = path.join(FOLDER, workflow, `${ending}.json`);
  mkdirSync(path.dirname(file), { recursive: true });
  writeFileSync(file, `${JSON.stringify({ workflowId, history: plainHistory(history) }, withoutMachine, 1)}\n`);
  return file;
}

/** An event with its kind's attributes; ids are texts. */
export type PlainEvent = Readonly<Record<string, unknown>> & { readonly eventId: string };

export function plainHistory(history: History): { readonly events: readonly PlainEvent[] } {
  return History.toObject(History.fromObject(history), { longs: String, enums: String, bytes: String }) as { events: PlainEvent[] };
}

export function historyOf(events: readonly PlainEvent[]): History {
  return History.fromObject({ events });
}

/** Which process on which machine did it is nobody's business. */
function withoutMachine(key: string, value: unknown): unknown {
  return key === 'identity' || key === 'workerIdentity' ? 'recorder' : value;
}
