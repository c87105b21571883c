/**
 * Ends a workflow task right behind the answer of a local activity, as the SDK does where a query is asked while the activity runs: the
 * answer is recorded with what answers the query, and the workflow hears of it a task later. A replay has it in the earlier task.
 */
import { historyOf, plainHistory, type History, type HistoryFile, type PlainEvent } from './history-files';
import { LOCAL_ACTIVITY, stepsOf } from './history-steps';

/** What a task of its own adds. */
const TASK = ['workflowTaskScheduledEventAttributes', 'workflowTaskStartedEventAttributes', 'workflowTaskCompletedEventAttributes'] as const;

/**
 * Places (indices of events) of answers behind which the same task recorded more. Of those alike, with the same activity and the same
 * event after it, the first: a long history has hundreds.
 */
export function answersAmidATask({ events }: History): readonly number[] {
  const places = new Map<string, number>();
  for (const [index, event] of (events ?? []).entries()) {
    const next = events?.[index + 1];
    if (event.markerRecordedEventAttributes?.markerName !== LOCAL_ACTIVITY || next === undefined || !isCommand(next)) continue;
    const alike = `${stepsOf({ events: [event] }).join()} | ${String(next.eventType)} ${next.markerRecordedEventAttributes?.markerName ?? ''} ${stepsOf({ events: [next] }).join()}`;
    if (!places.has(alike)) places.set(alike, index);
  }
  return [...places.values()];
}

function isCommand(event: object): boolean {
  return Object.values(event).some((attributes) => typeof attributes === 'object' && attributes !== null && 'workflowTaskCompletedEventId' in attributes && Number(attributes.workflowTaskCompletedEventId) > 0);
}

/** The same history with a task that ended at that place, and the next one that begins there. */
export function cutBehind(file: HistoryFile, index: number): HistoryFile {
  const { events } = plainHistory(file.history);
  const answer = events[index];
  const task = TASK.map((kind) => events.findLast((event, place) => place < index && kind in event)?.eventId);
  const [scheduled, started, completed] = task.map(Number);
  if (answer === undefined || scheduled === undefined || started === undefined || completed === undefined) throw new Error(`${file.workflow}/${file.ending} has no task that ends at event ${index}`);
  const last = Number(answer.eventId);
  const ofNextTask = new Map([[scheduled, last + 1], [started, last + 2], [completed, last + 3]]);
  const next = events.filter(({ eventId }) => task.includes(eventId)).map((event) => ({ ...renumbered(event, (id) => ofNextTask.get(id) ?? id), eventTime: answer['eventTime'] }));
  const behind = events.slice(index + 1).map((event) => renumbered(event, (id, name) => (id > last ? id + TASK.length : id === completed && name === 'workflowTaskCompletedEventId' ? last + 3 : id)));
  return { ...file, history: historyOf([...events.slice(0, index + 1), ...next, ...behind]) };
}

/** Every event's id in it, wherever it is named. */
function renumbered(event: PlainEvent, to: (id: number, name: string) => number): PlainEvent {
  const walk = (value: unknown, name: string): unknown => {
    if (Array.isArray(value)) return value.map((each) => walk(each, ''));
    if (typeof value === 'object' && value !== null) return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, walk(each, key)]));
    return /eventId$/i.test(name) && typeof value === 'string' ? String(to(Number(value), name)) : value;
  };
  return walk(event, '') as PlainEvent;
}
