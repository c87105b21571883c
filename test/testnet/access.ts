/** How the live contract reaches a venue: a key, and addresses that are the testnet's unless they are a simulator's. */
import { HYPERLIQUID_URLS } from '../../src/venues/hyperliquid/venue';

export interface LiveAccess {
  /** 64 hexadecimal digits. */
  readonly agentKey: string;
  readonly address: string;
  readonly httpUrl: string;
  readonly wsUrl: string;
}

/** From the environment that scripts/testnet.js checked. Throws where it was not. */
export function accessOf(environment: NodeJS.ProcessEnv): LiveAccess {
  const need = (name: string): string => {
    const value = environment[name];
    if (value === undefined || value === '') throw new Error(`${name} is not set: start this by npm run test:testnet`);
    return value;
  };
  const httpUrl = environment['SUREFILL_TESTNET_HYPERLIQUID_URL'] ?? HYPERLIQUID_URLS.testnet.httpUrl;
  return { agentKey: need('SUREFILL_TESTNET_HYPERLIQUID_AGENT_KEY').replace(/^0x/, ''), address: need('SUREFILL_TESTNET_HYPERLIQUID_ADDRESS').toLowerCase(), httpUrl, wsUrl: httpUrl.replace(/^http/, 'ws') };
}
