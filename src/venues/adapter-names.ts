/** The adapters that there are; apart from the registry, so that who only checks a name loads none of them. */
export const ADAPTER_NAMES = ['hyperliquid', 'paper'] as const;

export type AdapterName = (typeof ADAPTER_NAMES)[number];

export function isAdapterName(name: string): name is AdapterName {
  return (ADAPTER_NAMES as readonly string[]).includes(name);
}
