import { loadSettings } from '../../config/settings';
import { checkPaperData, checkVenues, strayNames } from '../checked-settings';
import { Supervisor, type ReadyAddresses, type SupervisorParts } from './supervisor';

const SIGNALS: readonly NodeJS.Signals[] = process.platform === 'win32' ? ['SIGINT', 'SIGBREAK'] : ['SIGINT', 'SIGTERM', 'SIGHUP'];

/** The one line that says everything runs, and where. */
export function readyLine(addresses: ReadyAddresses): string {
  return [
    'ready',
    `api=${addresses.api}`,
    `docs=${addresses.api}/docs`,
    // A server of the user's own has its Web UI where the user put it.
    `temporal-ui=${addresses.temporalUi ?? 'external'}`,
    `paper=${addresses.paper ?? 'none'}`,
    `key-file=${addresses.keyFile}`,
    ...(addresses.demo === undefined ? [] : [`demo-chain=${addresses.demo.chain}`, `demo-wallet=${addresses.demo.wallet}`]),
  ].join(' ');
}

/** What `npm start` becomes once everything is built. Returns when it was told to stop; the value is the exit code. */
export async function runSupervisor(environment: NodeJS.ProcessEnv, parts: SupervisorParts, say: (text: string) => void): Promise<number> {
  let supervisor: Supervisor;
  try {
    const settings = loadSettings(environment);
    checkVenues(settings.venues);
    await checkPaperData(settings);
    for (const name of strayNames(environment, settings)) say(`${name} is set and nothing reads it: .env.example has every setting`);
    supervisor = new Supervisor({ settings, environment, parts, say });
  } catch (error) {
    return fail(error);
  }
  let exitCode = 0;
  let stop: () => void = () => undefined;
  const told = new Promise<void>((resolve) => (stop = resolve));
  let stopping: Promise<void> | undefined;
  const onSignal = (signal: NodeJS.Signals): void => {
    say(stopping ? `${signal} again: stopping at once` : `${signal}: stopping everything, in order (again to hurry)`);
    stopping = supervisor.stop();
    stop();
  };
  for (const signal of SIGNALS) process.on(signal, onSignal);
  // A defect of ours ends the supervisor, never without stopping what it started.
  process.on('uncaughtException', (error) => {
    exitCode = fail(error);
    stopping ??= supervisor.stop();
    stop();
  });
  try {
    const addresses = await supervisor.start();
    process.stdout.write(`${readyLine(addresses)}\n`);
    await told;
  } catch (error) {
    // An interrupted start fails too, but that is what was asked for.
    if (!stopping) exitCode = fail(error);
  }
  await (stopping ?? supervisor.stop());
  if (stopping) say('everything is stopped');
  return exitCode;
}

/** One clear message for what the user can mend; a trace as well for what only we can. */
function fail(error: unknown): number {
  const ours = error instanceof TypeError || error instanceof RangeError || error instanceof ReferenceError || !(error instanceof Error);
  const text = error instanceof Error ? (ours ? (error.stack ?? error.message) : error.message) : String(error);
  process.stderr.write(`surefill: ${text}\n`);
  return 1;
}
