/** What the API needs of money outside of venues. */
import type { CollateralPort } from './collateral-port';
import type { DepositsPort } from './deposit-port';
import type { WithdrawalsPort } from './withdrawal-port';

export interface MoneyPorts {
  readonly collateral: CollateralPort;
  readonly deposits: DepositsPort;
  readonly withdrawals: WithdrawalsPort;
}
