/** Temporal's time-skipping test server: from Maven, run by Java, kept beside other downloads outside the checkout. */
import { TestWorkflowEnvironment } from '@temporalio/testing';
import { spawnSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { cacheFolder } from '../../src/main/launcher/folders';

const VERSION = '1.38.0';
/** Forty archives: a slow line may take this long to bring them. */
const INSTALL_LIMIT_MS = 240_000;
const POM = `<project xmlns="http://maven.apache.org/POM/4.0.0"><modelVersion>4.0.0</modelVersion><groupId>surefill</groupId><artifactId>test-server</artifactId><version>1</version><packaging>pom</packaging>
<dependencies><dependency><groupId>io.temporal</groupId><artifactId>temporal-test-server</artifactId><version>${VERSION}</version></dependency></dependencies></project>
`;

/** Its program, installed if need be; or why there is none. */
export function findTestServer(): { readonly program: string } | { readonly missing: string } {
  if (process.platform === 'win32') return { missing: 'its starter is a shell script' };
  const folder = path.join(cacheFolder(process.env), `temporal-test-server-${VERSION}`);
  const program = path.join(folder, 'temporal-test-server');
  if (existsSync(program)) return { program };
  if (spawnSync('java', ['-version'], { stdio: 'ignore' }).status !== 0) return { missing: 'no java on PATH' };
  mkdirSync(folder, { recursive: true });
  writeFileSync(path.join(folder, 'pom.xml'), POM);
  const { status, error, stdout } = spawnSync('mvn', ['-q', '-B', 'dependency:copy-dependencies', '-DoutputDirectory=lib'], { cwd: folder, encoding: 'utf8', timeout: INSTALL_LIMIT_MS });
  if (status !== 0) {
    // Half an installation would look like a whole one next time.
    rmSync(folder, { recursive: true, force: true });
    return { missing: `mvn dependency:copy-dependencies failed: ${(error?.message ?? stdout).trim().slice(-300)}` };
  }
  // Written last: it says that the rest is there.
  writeFileSync(program, `#!/bin/sh\nexec java -XX:+UseSerialGC -XX:TieredStopAtLevel=1 -cp "${folder}/lib/*" io.temporal.testserver.TestServer "$@"\n`);
  chmodSync(program, 0o755);
  return { program };
}

/** The SDK gives its Java five seconds to begin, which a machine that is busy with other tests does not always have. */
const STARTS = 12;

export async function startTestServer(program: string): Promise<TestWorkflowEnvironment> {
  for (let start = 1; ; start += 1) {
    try {
      return await TestWorkflowEnvironment.createTimeSkipping({ server: { executable: { type: 'existing-path', path: program } } });
    } catch (error) {
      // Thrown by native code, it is no Error of this realm.
      if (start >= STARTS || !String(error).includes('did not start within')) throw error;
    }
  }
}
