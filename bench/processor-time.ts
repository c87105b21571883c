/** Processor time of other processes, ms. Linux only: read from /proc. */
import { readdirSync, readFileSync } from 'node:fs';

const MS_PER_TICK = 10;
/** Of /proc/<pid>/stat, counted after the name: the parent, and ticks of its own and of children that ended. */
const FIELDS = { parent: 1, user: 11, system: 12, deadUser: 13, deadSystem: 14 } as const;

function statOf(pid: number): number[] {
  const text = readFileSync(`/proc/${pid}/stat`, 'utf8');
  return text.slice(text.lastIndexOf(')') + 2).split(' ').map(Number);
}

const at = (fields: readonly number[], name: keyof typeof FIELDS): number => fields[FIELDS[name]] ?? 0;

export function processMs(pid: number): number {
  const fields = statOf(pid);
  return (at(fields, 'user') + at(fields, 'system')) * MS_PER_TICK;
}

/** With its children, those that ended too. */
export function treeMs(pid: number): number {
  const children = readdirSync('/proc').flatMap((name) => {
    if (!/^\d+$/.test(name)) return [];
    try {
      const fields = statOf(Number(name));
      return at(fields, 'parent') === pid ? [fields] : [];
    } catch {
      // It ended meanwhile: its parent counts it.
      return [];
    }
  });
  return [statOf(pid), ...children].reduce((sum, fields) => sum + (at(fields, 'user') + at(fields, 'system') + at(fields, 'deadUser') + at(fields, 'deadSystem')) * MS_PER_TICK, 0);
}
