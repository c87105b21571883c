/** Reads the order of steps out of a history, and writes into it which two of them are to be exchanged. */
import { defaultPayloadConverter } from '@temporalio/common';
import { temporal } from '@temporalio/proto';
import type { History, HistoryFile } from './history-files';
import { EXCHANGE_MEMO, stepOf, type Step } from './steps';

export const LOCAL_ACTIVITY = 'core_local_activity';

/** In the order in which the history has them: a local activity at the place where its answer was recorded. */
export function stepsOf({ events }: History): Step[] {
  return (events ?? []).flatMap((event): Step[] => {
    const marker = event.markerRecordedEventAttributes;
    if (marker?.markerName === LOCAL_ACTIVITY) return [stepOf('local activity', localActivityType(marker.details?.data?.payloads?.[0]))];
    const activity = event.activityTaskScheduledEventAttributes?.activityType?.name;
    if (activity != null) return [stepOf('activity', activity)];
    const child = event.startChildWorkflowExecutionInitiatedEventAttributes?.workflowType?.name;
    if (child != null) return [stepOf('child', child)];
    return event.timerStartedEventAttributes == null ? [] : ['timer'];
  });
}

function localActivityType(payload: temporal.api.common.v1.IPayload | undefined): string {
  if (payload === undefined) throw new Error('a local activity that does not say which');
  return defaultPayloadConverter.fromPayload<{ readonly activity_type: string }>(payload).activity_type;
}

/** Two different steps, in the order of their names. */
export type Pair = readonly [Step, Step];

/** Each two different steps of which one follows the other at once. */
export function neighbours(history: History): Pair[] {
  const steps = stepsOf(history);
  const pairs = steps.flatMap((step, index): Pair[] => {
    const before = steps[index - 1];
    return before === undefined || before === step ? [] : [before < step ? [before, step] : [step, before]];
  });
  return [...new Map(pairs.map((pair) => [pair.join(' | '), pair])).values()];
}

/** The same history, to be replayed by code that takes either of the two for the other. */
export function exchanging(file: HistoryFile, pair: Pair): HistoryFile {
  return withMemo(file, EXCHANGE_MEMO, [...pair]);
}

/** The same history, started with this in its memo. */
export function withMemo(file: HistoryFile, name: string, value: unknown): HistoryFile {
  const [started, ...rest] = file.history.events ?? [];
  const attributes = started?.workflowExecutionStartedEventAttributes;
  if (attributes == null) throw new Error(`${file.workflow}/${file.ending} does not begin with its start`);
  const fields = { ...attributes.memo?.fields, [name]: defaultPayloadConverter.toPayload(value) };
  return { ...file, history: { events: [{ ...started, workflowExecutionStartedEventAttributes: { ...attributes, memo: { fields } } }, ...rest] } };
}
