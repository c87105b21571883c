/** Rules and events in short words. */
import type { AlertRule, AlertTerms } from '../../../src/domain/alert';
import type { EventType, StreamEvent } from '../../../src/domain/events';

export const AT_MS = Date.parse('2026-01-31T12:00:00.000Z');
export const at = (ms: number): string => new Date(ms).toISOString();

export function ruleOf<Terms extends AlertTerms>(terms: Terms, changes: Partial<Omit<AlertRule, 'kind' | 'parameters'>> = {}): Extract<AlertRule, { kind: Terms['kind'] }> {
  const fields = { id: 'r1', userId: 'u1', name: 'a rule', accountIds: null, symbols: null, channelIds: [], cooldownSeconds: 0, digestMinutes: null, snoozedUntil: null, enabled: true, activeSince: at(AT_MS), revision: 1, createdAt: at(AT_MS), updatedAt: at(AT_MS), ...changes };
  return { ...terms, ...fields } as unknown as Extract<AlertRule, { kind: Terms['kind'] }>;
}

export function eventOf(type: EventType, data: Record<string, unknown>, changes: Partial<StreamEvent> = {}): StreamEvent {
  return { id: 'e1', stream: 'account:a1', userId: 'u1', accountId: 'a1', sequence: 1, generation: 'g', type, at: at(AT_MS), orderId: null, data, ...changes };
}

export const fill = (changes: Record<string, unknown> = {}): Record<string, unknown> => ({
  fill: { venueFillId: 'f1', orderId: 'o1', venueOrderId: 'v1', accountId: 'a1', venue: 'paper', symbol: 'BTC-PERP', side: 'buy', price: '50000', quantity: '0.02', fee: '0.5', feeAsset: 'USDC', liquidity: 'taker', realizedPnl: null, at: at(AT_MS), ...changes },
});

export const ACCOUNTS: Readonly<Record<string, { readonly name: string; readonly venue: string }>> = { a1: { name: 'main', venue: 'paper' }, a2: { name: 'second', venue: 'paper' }, a3: { name: 'third', venue: 'hyperliquid' } };
export const accountOf = (id: string): { readonly name: string; readonly venue: string } | null => ACCOUNTS[id] ?? null;
