/**
 * Administrative acts: what changes who may do what, as against trading itself. Each is a row of its user's chain, and each
 * row's hash covers the one before it, so that an edit, a deletion, a swap or a cut end can be named afterwards.
 */

export const AUDIT_ACTS = [
  'user.created',
  'apiKey.created',
  'apiKey.rotated',
  'apiKey.revoked',
  'account.created',
  'account.changed',
  'account.deleted',
  'account.statusChanged',
  'account.leverageChanged',
  'collateral.moved',
  'riskLimits.changed',
  'killSwitch.latched',
  'killSwitch.released',
  'setting.changed',
  'webhook.created',
  'webhook.changed',
  'webhook.secretRotated',
  'webhook.enabled',
  'webhook.deleted',
  'webhook.resent',
  'webhook.recovered',
  'signalSource.created',
  'signalSource.changed',
  'signalSource.tokenRotated',
  'signalSource.deleted',
  'alertRule.created',
  'alertRule.changed',
  'alertRule.deleted',
  'alertChannel.created',
  'alertChannel.changed',
  'alertChannel.verified',
  'alertChannel.deleted',
  'operator.decided',
  'withdrawalAddress.created',
  'withdrawalAddress.removed',
  'withdrawal.requested',
  'withdrawal.approved',
  'withdrawal.refused',
  'withdrawal.canceled',
] as const;
export type AuditActName = (typeof AUDIT_ACTS)[number];

export interface AuditAct {
  /** Whose chain it stands in: the owner of what was changed. */
  readonly userId: string;
  /** Who did it: `actorOf(keyId)`, or SYSTEM_ACTOR. */
  readonly actor: string;
  readonly act: AuditActName;
  /** What was changed: `account:<id>`, `apiKey:<id>`, `user:<id>`, `setting:<key>`. */
  readonly subject: string;
  /** What it was and what it is now. JSON; never a secret. */
  readonly data: Readonly<Record<string, unknown>>;
  /** ISO time. */
  readonly at: string;
}

/** The end of one user's chain. */
export interface AuditHead {
  readonly userId: string;
  /** Of its last row; rows are numbered from 1 without a gap. */
  readonly number: number;
  /** sha256, hex. */
  readonly hash: string;
}

/** Something is wrong with one row, or with the row that should be there. */
export interface AuditFault {
  readonly userId: string;
  readonly number: number;
  readonly problem: string;
}

export interface AuditReport {
  readonly rows: number;
  readonly users: number;
  readonly faults: readonly AuditFault[];
}

/** Who did it, where nobody asked for it: a first start, a watcher that halts an account. */
export const SYSTEM_ACTOR = 'system';

/** Who did it: the API key that the request came with. */
export function actorOf(keyId: string): string {
  return `key:${keyId}`;
}
