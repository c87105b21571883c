import { randomBytes } from 'node:crypto';
import { chmodSync, copyFileSync, existsSync, mkdirSync, readdirSync, readFileSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { keyFromText } from '../../config/setting-kinds';
import { wrongSetting } from '../../config/setting-texts';

/** A log that has grown past this is moved aside once, so that a home takes bounded space. */
const LARGEST_LOG_BYTES = 20 * 1024 * 1024;
const MASTER_KEY_BYTES = 32;
const OWN = 0o700;
const OWN_FILE = 0o600;
/** As root: the user that PostgreSQL runs as passes through to its own folder, and can list nothing. */
const ENTER_ONLY = 0o711;

/** Where everything of one SUREFILL_HOME lives. */
export class Home {
  /** @throws SettingError where it cannot be made. */
  constructor(readonly folder: string) {
    try {
      // A folder that the user made keeps the mode the user gave it.
      const made = makeFolder(folder);
      if (made && process.platform !== 'win32') chmodSync(folder, process.getuid?.() === 0 ? ENTER_ONLY : OWN);
      for (const part of ['logs', 'run', 'simulator']) makeFolder(this.path(part), OWN);
    } catch (error) {
      throw wrongSetting('SUREFILL_HOME', `be a folder that can be made and written to (${(error as NodeJS.ErrnoException).code})`, folder);
    }
  }

  path(...parts: string[]): string {
    return path.join(this.folder, ...parts);
  }

  logFile(name: string): string {
    return this.path('logs', `${name}.log`);
  }

  /** The key that seals credentials: made on the first start, readable by its user alone. @throws Error if it was damaged. */
  masterKey(): Buffer {
    const file = this.path('master-key');
    if (!existsSync(file)) writeFileSync(file, `${randomBytes(MASTER_KEY_BYTES).toString('base64')}\n`, { mode: OWN_FILE, flag: 'wx' });
    const key = keyFromText(readFileSync(file, 'utf8').trim());
    if (key === undefined) throw new Error(`${file} does not hold 32 bytes: restore it from a backup, without it stored credentials cannot be read`);
    return key;
  }

  /** Moves the content of large logs to `<name>.log.1`. The files stay open in their processes, which append. */
  trimLogs(): void {
    if (!existsSync(this.path('logs'))) return;
    for (const name of readdirSync(this.path('logs')).filter((each) => each.endsWith('.log'))) {
      const file = this.path('logs', name);
      if (statSync(file).size < LARGEST_LOG_BYTES) continue;
      copyFileSync(file, `${file}.1`);
      truncateSync(file);
    }
  }
}

/**
 * With the folders above it; false if it was there. Node's own recursive mkdir goes round for ever where the system answers ENOENT although
 * the folder above is there, as under /proc.
 */
function makeFolder(folder: string, mode?: number): boolean {
  if (existsSync(folder) && statSync(folder).isDirectory()) return false;
  const above = path.dirname(folder);
  if (above !== folder) makeFolder(above);
  try {
    mkdirSync(folder, { mode });
    return true;
  } catch (error) {
    // Another start made it meanwhile.
    if ((error as NodeJS.ErrnoException).code === 'EEXIST' && statSync(folder).isDirectory()) return false;
    throw error;
  }
}
