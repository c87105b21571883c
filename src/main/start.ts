/** Wires the launcher to the rooms it takes parts from. */
import { checkMasterKey } from '../store/keys/master-key';
import { migrate } from '../store/database/migrate';
import { startHub } from '../streams/bus/hub';
import { runSupervisor } from './launcher/start';

/** Runs everything until told to stop; resolves with the exit code. */
export function start(environment: NodeJS.ProcessEnv, say: (text: string) => void): Promise<number> {
  return runSupervisor(environment, { migrate, checkMasterKey, startHub }, say);
}
