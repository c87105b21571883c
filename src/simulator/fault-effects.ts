/** What arming and disarming a fault does at once, beside meeting later requests and frames. */
import type { Fault } from './faults';
import { PaperError } from './errors';
import type { PaperVenue } from './paper-venue';

/** WebSocket close code of a gateway that goes away. */
const GOING_AWAY = 1001;

/** Arms a fault. A closeStream acts at once; a stallStream ends by itself after its duration (real time). */
export function armFault(venue: PaperVenue, body: unknown): Fault {
  const fault = venue.faults.arm(body);
  switch (fault.kind) {
    case 'closeStream':
      venue.hub.refusingUntil = venue.options.realNow() + (fault.durationMs ?? 0);
      fault.hits = venue.hub.closeStreams(fault.match.account, GOING_AWAY, 'fault closeStream');
      venue.faults.remove(fault.id);
      break;
    case 'stallStream':
      setTimeout(() => venue.faults.remove(fault.id), fault.durationMs).unref();
      break;
    case 'revokeKey':
      venue.revokeKey(fault);
      break;
    case 'skewClock':
      venue.clock.skewMs += fault.offsetMs ?? 0;
      break;
    case 'hide':
      if (fault.clientId !== undefined) hideExisting(venue, fault);
      break;
    case 'truncateHistory':
      if (typeof fault.before !== 'number') {
        venue.faults.remove(fault.id);
        throw new PaperError('BAD_REQUEST', 'truncateHistory needs before as a time in milliseconds');
      }
      break;
    default:
  }
  return fault;
}

/** Disarms one fault and undoes what it holds open; false when there is none of that id. */
export function disarmFault(venue: PaperVenue, id: string): boolean {
  const fault = venue.faults.list().find((candidate) => candidate.id === id);
  const known = venue.faults.remove(id);
  if (fault?.kind === 'revokeKey') venue.revokedKeys.delete(fault.key as string);
  if (fault?.kind === 'skewClock') venue.clock.skewMs -= fault.offsetMs ?? 0;
  if (fault?.kind === 'reorderMessages') venue.hub.releaseReordered(fault);
  return known;
}

/** Venue time before which closed orders and fills are not shown; -Infinity without the fault. */
export function historyStart(venue: PaperVenue, account: string): number {
  let start = -Infinity;
  for (const fault of venue.faults.ofKind('truncateHistory')) {
    if (fault.match.account === undefined || fault.match.account === account) start = Math.max(start, fault.before as number);
  }
  return start;
}

/** When a hide fault meets a new order: the venue time until which it is not shown, else null. */
export function hideNewOrder(venue: PaperVenue, account: string, clientId: string): number | null {
  for (const fault of venue.faults.ofKind('hide')) {
    if (fault.clientId !== undefined && fault.clientId !== clientId) continue;
    if (fault.match.clientId !== undefined && fault.match.clientId !== clientId) continue;
    if (fault.match.account !== undefined && fault.match.account !== account) continue;
    venue.faults.use(fault);
    venue.faults.hit(fault);
    return venue.unskewedNow() + (fault.durationMs ?? 0);
  }
  return null;
}

function hideExisting(venue: PaperVenue, fault: Fault): void {
  for (const account of venue.exchange.state.accounts.values()) {
    const order = account.orders.get(fault.clientId as string);
    if (order === undefined || (fault.match.account !== undefined && fault.match.account !== account.name)) continue;
    order.hiddenUntil = venue.unskewedNow() + (fault.durationMs ?? 0);
  }
}
