/**
 * `npm run audit:check`: reads the audit log and names what is wrong with it. Ends with 0 when nothing is, 1 when something
 * is, 2 when it could not be checked.
 */
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { loadSettings, SettingError, type Settings } from '../config/settings';
import { checkAudit } from '../store/audit/audit';
import { Database } from '../store/database/database';
import { AuditHeads } from './audit-heads';
import { postgresUrl } from './launcher/postgres';
import { ProcessRecords } from './launcher/process-records';
import { isRunning } from '../../scripts/process-identity';
import { createLogger } from './logger';

/** Pages follow each other in one transaction. */
const CONNECTIONS = 1;
const LOCK_TIMEOUT_MS = 500;

/** Prints one line for each fault. Throws when the database cannot be reached or is not there. */
async function main(): Promise<number> {
  const settings = loadSettings(process.env);
  const heads = new AuditHeads(settings.home, createLogger('silent', 'audit-check'));
  const { heads: witnessed, unreadable } = heads.read();
  const database = new Database({
    databaseUrl: settings.databaseUrl ?? urlOfHome(settings),
    poolSize: CONNECTIONS,
    statementTimeoutMs: settings.databaseStatementTimeoutMs,
    lockTimeoutMs: LOCK_TIMEOUT_MS,
    onError: () => undefined, // the statement that met it rejects with the same
    onAuditHead: () => undefined, // nothing is written here
  });
  try {
    const { rows, users, faults } = await checkAudit(database, witnessed);
    for (const line of unreadable) say(`${heads.file}: line ${line} cannot be read`);
    for (const { userId, number, problem } of faults) say(`user ${userId}: row ${number} ${problem}`);
    const wrong = faults.length + unreadable.length;
    say(`audit: ${rows} rows of ${users} users, ${witnessed.length} heads in ${heads.file}: ${wrong === 0 ? 'complete' : `${wrong} wrong`}`);
    return wrong === 0 ? 0 : 1;
  } finally {
    await database.close();
  }
}

/** The PostgreSQL that `npm start` keeps running in its home. */
function urlOfHome({ home }: Settings): string {
  const record = existsSync(path.join(home, 'run')) ? new ProcessRecords(path.join(home, 'run')).read('postgres') : undefined;
  const passwordFile = path.join(home, 'postgres-password');
  if (record?.port === undefined || !isRunning(record) || !existsSync(passwordFile)) throw new SettingError(`no PostgreSQL runs in ${home}: set DATABASE_URL or SUREFILL_HOME, or run npm start first`);
  return postgresUrl(record.port, readFileSync(passwordFile, 'utf8').trim());
}

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}

main().then(
  (code) => {
    process.exitCode = code;
  },
  (error: unknown) => {
    process.stderr.write(`audit: ${error instanceof Error ? error.message : String(error)}\n`);
    process.exitCode = 2;
  },
);
