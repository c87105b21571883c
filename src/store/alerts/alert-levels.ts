/** Rules of liquidation and loss, judged beside the account's stream by its watcher: as marks move, and after each fill. */
import type { AlertFact, AlertRule } from '../../domain/alert';
import { isNear, liquidationDistance, liquidationFact, lossFact, type MarkedPosition } from '../../domain/alert-figures';
import type { WriterEpoch } from '../../domain/order-store';
import { alertId, raiseAlert } from './alert-raising';
import { RULE_SELECT, ruleOfRow } from './alert-rules';
import { holdEpoch, type StoreCore } from '../core';
import type { Queryable, Transaction } from '../database/database';
import { dayOf, loadFigures } from '../risk/figures';
import { readAccounts } from '../database/locks';
import { changeUser } from '../user-changes';

/** A figure that came to its level, or left it. `fact` null: it left. */
interface Crossing {
  readonly rule: AlertRule;
  readonly subject: string;
  readonly fact: AlertFact | null;
}

interface WatchedAccount {
  readonly id: string;
  readonly userId: string;
  readonly name: string;
  readonly venue: string;
}

export class AlertLevels {
  constructor(private readonly core: StoreCore) {}

  /** How many were told. One read where nobody asked. Throws EpochLost for a watcher whose successor works. */
  async check(writer: WriterEpoch, accountId: string): Promise<number> {
    const rows = await this.core.database.rows(
      `SELECT ${RULE_SELECT}, a.name AS "accountName", a.venue FROM accounts a JOIN alert_rules r ON r.user_id = a.user_id AND r.enabled AND r.deleted_at IS NULL AND r.kind IN ('liquidationDistance', 'loss')
        WHERE a.id = $1 AND a.deleted_at IS NULL AND (r.account_ids IS NULL OR r.account_ids ? a.id)`,
      accountId,
    );
    const [first] = rows;
    if (first === undefined) return 0;
    const account: WatchedAccount = { id: accountId, userId: String(first['userId']), name: String(first['accountName']), venue: String(first['venue']) };
    const crossings = await this.crossings(account, rows.map(ruleOfRow));
    if (crossings.length === 0) return 0;
    return changeUser(this.core, account.userId, async (tx, changes) => {
      await holdEpoch(tx, writer);
      const nowMs = this.core.clock.nowMs();
      const current = await this.current(tx, accountId, crossings);
      let told = 0;
      for (const { rule: judged, subject, fact } of crossings) {
        // Nothing of terms that are no more is written: the new ones have forgotten it, and are judged within seconds.
        const rule = current.get(judged.id);
        if (rule?.revision !== judged.revision) continue;
        await tx.rows(
          'INSERT INTO alert_states(rule_id, subject, user_id, is_inside) VALUES ($1, $2, $3, $4) ON CONFLICT (rule_id, subject) DO UPDATE SET is_inside = excluded.is_inside RETURNING 1 AS done',
          rule.id, subject, rule.userId, fact !== null,
        );
        if (fact !== null && (await raiseAlert(tx, changes, rule, fact, { id: alertId(rule.id, subject, nowMs), nowMs }))) told += 1;
      }
      return told;
    });
  }

  /** Their rules as they are under the user's lock; those that still ask for this account. */
  private async current(tx: Transaction, accountId: string, crossings: readonly Crossing[]): Promise<ReadonlyMap<string, AlertRule>> {
    const rows = await tx.rows(`SELECT ${RULE_SELECT} FROM alert_rules r WHERE r.id = ANY($1::text[]) AND r.enabled AND r.deleted_at IS NULL AND (r.account_ids IS NULL OR r.account_ids ? $2)`, [...new Set(crossings.map(({ rule }) => rule.id))], accountId);
    return new Map(rows.map(ruleOfRow).map((rule) => [rule.id, rule]));
  }

  private async crossings(account: WatchedAccount, rules: readonly AlertRule[]): Promise<Crossing[]> {
    const inside = new Set((await this.core.database.rows<{ ruleId: string; subject: string }>('SELECT s.rule_id AS "ruleId", s.subject FROM alert_states s WHERE s.rule_id = ANY($1::text[]) AND s.is_inside', rules.map(({ id }) => id))).map(({ ruleId, subject }) => `${ruleId} ${subject}`));
    const wasInside = (rule: AlertRule, subject: string): boolean => inside.has(`${rule.id} ${subject}`);
    const liquidations = rules.flatMap((rule) => (rule.kind === 'liquidationDistance' ? [rule] : []));
    const losses = rules.flatMap((rule) => (rule.kind === 'loss' && rule.parameters.amount !== null ? [{ rule, amount: rule.parameters.amount }] : []));
    const found: Crossing[] = [];
    const held = liquidations.length === 0 ? [] : await this.marked(this.core.database, account);
    for (const rule of liquidations) {
      const { percent } = rule.parameters;
      const subjects = new Set<string>();
      for (const position of held) {
        const fact = liquidationFact(position, percent);
        subjects.add(fact.subject);
        if (rule.symbols !== null && !rule.symbols.includes(position.symbol)) continue;
        const was = wasInside(rule, fact.subject);
        const near = isNear(was, liquidationDistance(position), percent);
        if (near !== was) found.push({ rule, subject: fact.subject, fact: near ? fact : null });
      }
      // What is held no more has left: the next position there is another matter.
      const gone = [...inside].filter((key) => key.startsWith(`${rule.id} liquidation/${account.id}/`)).map((key) => key.slice(rule.id.length + 1));
      for (const subject of gone) if (!subjects.has(subject) && !(await this.isUnmarked(subject, account))) found.push({ rule, subject, fact: null });
    }
    const day = dayOf(this.core.clock.nowMs());
    const dailyProfit = losses.length === 0 ? null : await this.dailyProfit(account);
    for (const { rule, amount } of losses) {
      const fact = lossFact({ accountId: account.id, accountName: account.name, day, dailyProfit }, amount);
      if (fact !== null && !wasInside(rule, fact.subject)) found.push({ rule, subject: fact.subject, fact });
    }
    return found;
  }

  /** Positions that can be liquidated and whose mark is known now. */
  private async marked(database: Queryable, account: WatchedAccount): Promise<readonly MarkedPosition[]> {
    const rows = await database.rows<{ symbol: string; quantity: string; liquidationPrice: string }>(
      `SELECT p.symbol, trim_scale(coalesce(p.venue_quantity, p.quantity))::text AS quantity, trim_scale(p.liquidation_price)::text AS "liquidationPrice"
         FROM positions p WHERE p.account_id = $1 AND coalesce(p.venue_quantity, p.quantity) <> 0 AND p.liquidation_price > 0`,
      account.id,
    );
    return rows.flatMap(({ symbol, quantity, liquidationPrice }) => {
      const markPrice = this.core.markOf(account.venue, symbol);
      return markPrice === null ? [] : [{ accountId: account.id, accountName: account.name, venue: account.venue, symbol, quantity, markPrice, liquidationPrice }];
    });
  }

  /** A position whose mark is missing for a moment has not left. */
  private async isUnmarked(subject: string, account: WatchedAccount): Promise<boolean> {
    const symbol = subject.slice(`liquidation/${account.id}/`.length);
    const [row] = await this.core.database.rows('SELECT 1 AS held FROM positions p WHERE p.account_id = $1 AND p.symbol = $2 AND coalesce(p.venue_quantity, p.quantity) <> 0 AND p.liquidation_price > 0', account.id, symbol);
    return row !== undefined;
  }

  private async dailyProfit({ id }: WatchedAccount): Promise<string | null> {
    const account = (await readAccounts(this.core.database, [id])).get(id);
    return account === undefined ? null : ((await loadFigures(this.core.database, [account], [], this.core.clock.nowMs(), this.core)).get(id)?.dailyProfit ?? null);
  }
}
