import { isUrl, urlRule } from './setting-kinds';
import { textOf, wrongSetting, type SettingTexts } from './setting-texts';

/** One chain of SUREFILL_DEPOSIT_CHAINS. */
export interface ChainSettings {
  readonly name: string;
  readonly id: number;
  /** Asked in this order until one answers. */
  readonly rpcUrls: readonly string[];
  /** Blocks after which a transaction counts as final, its own included. */
  readonly confirmations: number;
}

const CHAIN = /^([a-z][a-z0-9-]{0,30}):(\d{1,15})$/;
const DEFAULT_CONFIRMATIONS = 20;
const MAX_CONFIRMATIONS = 250;

export const CHAIN_VARIABLES = ['RPC_URLS', 'CONFIRMATIONS'] as const;

/** The environment variable of a chain: SUREFILL_ARBITRUM_RPC_URLS for `arbitrum`. */
export function chainVariable(name: string, what: (typeof CHAIN_VARIABLES)[number]): string {
  return `SUREFILL_${name.toUpperCase().replaceAll('-', '_')}_${what}`;
}

/** None where the list is absent. @throws SettingError for a list, an address or a number that cannot be read. */
export function parseChainSettings(list: string | undefined, environment: SettingTexts): readonly ChainSettings[] {
  if (list === undefined) return [];
  const chains = list.split(',').map((part) => {
    const found = CHAIN.exec(part.trim());
    if (!found?.[1]) throw wrongSetting('SUREFILL_DEPOSIT_CHAINS', 'be a comma list of name:chain-id, like ethereum:1,arbitrum:42161', list);
    return { name: found[1], id: Number(found[2]), rpcUrls: urls(environment, chainVariable(found[1], 'RPC_URLS')), confirmations: confirmations(environment, chainVariable(found[1], 'CONFIRMATIONS')) };
  });
  if (new Set(chains.map(({ name }) => name)).size < chains.length || new Set(chains.map(({ id }) => id)).size < chains.length) throw wrongSetting('SUREFILL_DEPOSIT_CHAINS', 'name each chain once', list);
  return chains;
}

function urls(environment: SettingTexts, env: string): readonly string[] {
  const given = (textOf(environment, env) ?? '').split(',').map((part) => part.trim()).filter((part) => part !== '');
  // Not shown: an endpoint's address may hold a key.
  if (given.length === 0 || !given.every((url) => isUrl(url, ['http', 'https']))) throw wrongSetting(env, `be a comma list of which each must ${urlRule(['https', 'http'])}`, undefined);
  return given;
}

function confirmations(environment: SettingTexts, env: string): number {
  const given = textOf(environment, env);
  if (given === undefined) return DEFAULT_CONFIRMATIONS;
  const value = /^\d{1,3}$/.test(given) ? Number(given) : 0;
  if (value < 1 || value > MAX_CONFIRMATIONS) throw wrongSetting(env, `be an integer from 1 to ${MAX_CONFIRMATIONS}`, given);
  return value;
}
