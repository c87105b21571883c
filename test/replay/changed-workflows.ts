/** The workflows with one file's text changed, compiled anew: what another version of the code would do with a history. */
import { bundleWorkflowCode, type WorkflowBundle } from '@temporalio/worker';
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { ROOT } from '../support/source-imports';
import { silent } from './replaying';

export async function changedWorkflows(file: string, change: (source: string) => string): Promise<WorkflowBundle> {
  const folder = mkdtempSync(path.join(os.tmpdir(), 'surefill-replay-'));
  try {
    for (const room of ['workflows', 'domain', 'risk', 'temporal']) cpSync(path.join(ROOT, 'src', room), path.join(folder, 'src', room), { recursive: true });
    symlinkSync(path.join(ROOT, 'node_modules'), path.join(folder, 'node_modules'), 'junction');
    const target = path.join(folder, 'src', 'workflows', file);
    const before = readFileSync(target, 'utf8');
    const after = change(before);
    if (after === before) throw new Error(`${file} has no such text to change`);
    writeFileSync(target, after);
    return await bundleWorkflowCode({ workflowsPath: path.join(folder, 'src', 'workflows', 'index.ts'), logger: silent });
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
