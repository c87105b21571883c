import { chownSync, constants, copyFileSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { cacheFolder, canReach, reachableFolder } from '../../src/main/launcher/folders';
import type { UnixUser } from '../../src/main/launcher/managed-process';
import { initialisePostgres, newPassword } from '../../src/main/launcher/postgres';
import type { PostgresProgram } from '../../src/main/launcher/postgres-program';

/** An initialised cluster in the user's cache: copying it takes a tenth of the time that making one takes. */
export interface PostgresTemplate {
  readonly dataFolder: string;
  readonly password: string;
}

/** Raised when what is in a template changes. */
const TEMPLATE_VERSION = 1;

/** Finds or makes the template. Two test runs may make it at once: the first to finish wins, the other uses that one. */
export async function postgresTemplate(program: PostgresProgram): Promise<PostgresTemplate> {
  const name = `postgres-template-${TEMPLATE_VERSION}-${program.version}`;
  const folder = path.join(templateParent(program.user), name);
  if (!existsSync(folder)) {
    mkdirSync(path.dirname(folder), { recursive: true });
    const draft = mkdtempSync(`${folder}-draft-`);
    if (program.user) chownSync(draft, program.user.uid, program.user.gid);
    const password = newPassword();
    await initialisePostgres(program, path.join(draft, 'data'), password);
    writeFileSync(path.join(draft, 'password'), password, { mode: 0o600 });
    try {
      renameSync(draft, folder);
    } catch (error) {
      rmSync(draft, { recursive: true, force: true });
      if (!existsSync(folder)) throw error;
    }
  }
  return { dataFolder: path.join(folder, 'data'), password: readFileSync(path.join(folder, 'password'), 'utf8') };
}

function templateParent(user: UnixUser | undefined): string {
  const cache = cacheFolder(process.env);
  mkdirSync(cache, { recursive: true });
  return user && !canReach(user, cache) ? reachableFolder('cache', user, 'test') : cache;
}

/** Copies a cluster that is not running; the copy belongs to the given user. */
export function copyCluster(source: string, target: string, user: UnixUser | undefined): void {
  mkdirSync(target, { recursive: true, mode: 0o700 });
  if (user) chownSync(target, user.uid, user.gid);
  for (const entry of readdirSync(source, { withFileTypes: true })) {
    const [from, to] = [path.join(source, entry.name), path.join(target, entry.name)];
    if (entry.isDirectory()) copyCluster(from, to, user);
    else {
      copyFileSync(from, to, constants.COPYFILE_FICLONE);
      if (user) chownSync(to, user.uid, user.gid);
    }
  }
}
