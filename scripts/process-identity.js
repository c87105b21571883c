'use strict';
// Which process a number means. A pid alone is reused by the system, so a process is its pid and its start time together;
// only such a pair is ever signalled. Used by the launcher, and by the watchdog, which runs without anything being built.

const fs = require('node:fs');
const { execFileSync } = require('node:child_process');

/** The boot the pids belong to: after a reboot the same pid may start at the same tick. Fixed for our life. */
let bootId;

function linuxStartTime(pid) {
  let stat;
  try {
    stat = fs.readFileSync(`/proc/${pid}/stat`, 'utf8');
  } catch (error) {
    if (error.code === 'ENOENT' || error.code === 'ESRCH') return undefined;
    throw error;
  }
  bootId ??= fs.readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
  // proc(5): the command in parentheses may hold spaces; state is the 3rd field, starttime the 22nd.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  // A zombie has ended, its parent has just not asked yet.
  return fields[0] === 'Z' || fields[0] === 'X' ? undefined : `${bootId}:${fields[19]}`;
}

function askSystem(command, args) {
  try {
    return execFileSync(command, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'], windowsHide: true }).trim();
  } catch (error) {
    if (typeof error.status === 'number') return ''; // it ran and found no such process
    throw error;
  }
}

/**
 * When the process started, as text that is equal only for the same process of the same boot.
 * @param {number} pid
 * @returns {string | undefined} undefined when no such process runs
 */
function startTimeOf(pid) {
  if (!Number.isSafeInteger(pid) || pid <= 0) return undefined;
  if (process.platform === 'linux') return linuxStartTime(pid);
  if (process.platform === 'win32') {
    const query = `(Get-Process -Id ${pid} -ErrorAction SilentlyContinue).StartTime.ToFileTimeUtc()`;
    return askSystem('powershell.exe', ['-NoProfile', '-NonInteractive', '-Command', query]) || undefined;
  }
  const [state, ...started] = askSystem('ps', ['-o', 'stat=,lstart=', '-p', String(pid)]).split(/\s+/);
  return started.length === 0 || state.startsWith('Z') ? undefined : started.join(' ');
}

/** Whether exactly this process still runs. @param {{pid: number, startTime: string}} identity */
function isRunning(identity) {
  return startTimeOf(identity.pid) === identity.startTime;
}

/**
 * Sends a signal to exactly this process, and to its process group if it leads one. Nothing happens if it has ended.
 * On Windows there are no signals: the process and its children are terminated.
 * @param {{pid: number, startTime: string}} identity
 * @param {NodeJS.Signals} signal
 * @returns {boolean} whether there was such a process
 */
function signalExactly(identity, signal) {
  if (!isRunning(identity)) return false;
  if (process.platform === 'win32') {
    askSystem('taskkill.exe', ['/PID', String(identity.pid), '/T', '/F']);
    return true;
  }
  for (const target of [-identity.pid, identity.pid]) {
    try {
      process.kill(target, signal);
      return true;
    } catch (error) {
      if (error.code !== 'ESRCH') throw error;
    }
  }
  return false;
}

module.exports = { isRunning, signalExactly, startTimeOf };
