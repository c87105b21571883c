/** Wires withdrawals: what the API and the workers need of them. */
import { randomUUID } from 'node:crypto';
import { ChainSender } from '../activities/chain-sender';
import { createWithdrawalActivities, type WithdrawalActivities } from '../activities/withdrawal-activities';
import { WithdrawalPath } from '../activities/withdrawal-path';
import type { WithdrawalsPort } from '../api/withdrawal-port';
import { EvmWriter } from '../chains/evm-writer';
import { SettingError, type Settings } from '../config/settings';
import { isoTime } from '../domain/clock';
import { decimalText, isPlainDecimal } from '../domain/decimal';
import { DomainError } from '../domain/errors';
import { payeeFault, type Withdrawal } from '../domain/withdrawal';
import type { WithdrawalLimits } from '../store/deposits/withdrawals';
import { WithdrawalGateway } from '../temporal/withdrawal-gateway';
import type { WithdrawalInput, WithdrawalReply } from '../workflows/messages';
import { faultOfFunding } from './account-funding';
import { depositParts, type DepositParts } from './deposits';
import { nameUuid } from './name-uuid';
import type { Platform } from './platform';

/** Of a worker. */
export function withdrawalActivities(platform: Platform, { chains, signer }: DepositParts): WithdrawalActivities {
  const { settings, store, clock } = platform;
  const writers = new Map(settings.chains.map((chain) => [chain.id, new EvmWriter(chain)]));
  const sender = new ChainSender({ clock, sends: store.chainSends, chains, writers, signer, raiseFeeAfterMs: settings.withdrawalRaiseFeeAfterMs });
  return createWithdrawalActivities(new WithdrawalPath({ withdrawals: store.withdrawals, sender, chains, limits: limitsOf(settings), faultOfFunding: (withdrawal) => faultOfFunding(platform, withdrawal) }));
}

/** Of the API. What is recorded is read where wallets are not configured too. */
export function withdrawalsPort(platform: Platform): WithdrawalsPort {
  const { store, settings, temporal, clock } = platform;
  const parts = depositParts(platform);
  const gateway = new WithdrawalGateway(temporal.client, withdrawalWaits(settings));
  const configured = (): DepositParts => {
    if (parts === null) throw new DomainError('UNPROCESSABLE', 'wallets are not configured: set SUREFILL_DEPOSIT_CHAINS and SUREFILL_SIGNER');
    return parts;
  };
  const told = async (withdrawal: Withdrawal, wish: () => Promise<WithdrawalReply>): Promise<Withdrawal> => {
    // Without the parts no worker takes the workflow's tasks: its caller would wait for nothing.
    configured();
    const { refused } = await wish();
    if (refused !== null) throw new DomainError(refused.code, refused.message, { details: refused.details });
    return (await store.withdrawals.byId(withdrawal.id)) ?? withdrawal;
  };
  return {
    get: (id, userId) => store.withdrawals.get(id, userId),
    list: (query) => store.withdrawals.list(query),
    steps: (id, userId) => store.withdrawals.steps(id, userId),
    begin: async (userId, request, idempotencyKey, actor) => {
      const { signer, destination, tokenAddress } = configured();
      const token = await destination.token(tokenAddress);
      const amount = decimalText(request.amount);
      if ((amount.split('.')[1]?.length ?? 0) > token.decimals) throw new DomainError('VALIDATION', `${token.symbol} has ${token.decimals} decimals`, { details: { field: 'amount', decimals: token.decimals } });
      const fromAddress = await signer.addressOf(userId);
      if (request.toAddress === fromAddress) throw new DomainError('UNPROCESSABLE', 'this is the wallet itself', { details: { field: 'toAddress' } });
      const nowMs = clock.nowMs();
      const asked: Withdrawal = {
        id: idempotencyKey === null ? randomUUID() : nameUuid(`withdrawal\n${userId}\n${idempotencyKey}`), userId, state: 'AWAITING_APPROVAL', reason: null, token, amount, fromAddress, toAddress: request.toAddress, requestedBy: actor, decidedBy: null, note: null, transaction: null,
        revision: 1, approveBefore: isoTime(nowMs + settings.withdrawalApproveWithinMs), createdAt: isoTime(nowMs), updatedAt: isoTime(nowMs),
      };
      const known = await store.withdrawals.byId(asked.id);
      // Of two requests with one key the other may have been first, also since its row was looked for.
      return same(known ?? (await told(asked, () => gateway.begin(asked))), asked);
    },
    decide: (withdrawal, decision, note, actor) => told(withdrawal, () => gateway.decide(withdrawal, decision, note, actor)),
    cancel: (withdrawal, actor) => told(withdrawal, () => gateway.cancel(withdrawal, actor)),
    addAddress: async (userId, address, label, actor) => {
      const fault = payeeFault(address, { token: settings.depositToken, contracts: settings.depositTargets.split(',') });
      if (fault !== null) throw new DomainError('VALIDATION', fault, { details: { field: 'address' } });
      return store.withdrawalAddresses.add({ userId, address, label, actor, waitMs: settings.withdrawalAddressWaitMs });
    },
    addresses: (userId) => store.withdrawalAddresses.list(userId),
    removeAddress: (id, userId, actor) => store.withdrawalAddresses.remove(id, userId, actor),
  };
}

export function withdrawalWaits({ depositPollMs: pollMs, depositMaxPollMs: maxPollMs }: Settings): WithdrawalInput['waits'] {
  return { pollMs, maxPollMs };
}

function limitsOf(settings: Settings): WithdrawalLimits {
  const { withdrawalMinimum: minimum, withdrawalMaximum: maximum, withdrawalPerDay: perDay } = settings;
  for (const [env, value] of [['SUREFILL_WITHDRAWAL_MINIMUM', minimum], ['SUREFILL_WITHDRAWAL_MAXIMUM', maximum], ['SUREFILL_WITHDRAWAL_PER_DAY', perDay]] as const) if (!isPlainDecimal(value)) throw new SettingError(`${env} must be a decimal, got "${value}"`);
  return { minimum, maximum, perDay };
}

function same(known: Withdrawal, asked: Withdrawal): Withdrawal {
  if (known.amount !== asked.amount || known.toAddress !== asked.toAddress) throw new DomainError('IDEMPOTENCY_MISMATCH', 'this Idempotency-Key was used for another withdrawal', { details: { withdrawalId: known.id } });
  return known;
}
