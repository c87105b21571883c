/**
 * The markets of the simulated Hyperliquid: the venue's own perpetuals and two builder-deployed dexes (HIP-3). Asset ids,
 * size decimals and price rules are as the venue numbers them: 100000 + 10000 per dex + index in its metadata.
 */
import { decimal } from '../../domain/decimal';
import type { PaperMarket } from '../market';

export interface HyperliquidDex {
  readonly name: string;
  readonly fullName: string;
  /** The token that margins and settles it. */
  readonly collateral: string;
}

/** In the order of perpDexs; the first, unnamed one is the venue's own. */
export const DEXES: readonly HyperliquidDex[] = [
  { name: '', fullName: '', collateral: 'USDC' },
  { name: 'xyz', fullName: 'XYZ', collateral: 'USDC' },
  { name: 'flx', fullName: 'Felix Exchange', collateral: 'USDH' },
];

export interface HyperliquidAsset {
  readonly coin: string;
  readonly dex: string;
  readonly asset: number;
  readonly szDecimals: number;
  readonly maxLeverage: number;
  readonly onlyIsolated: boolean;
  readonly market: PaperMarket;
}

/** A perpetual's price has at most this many decimals less its size decimals. */
const PERPETUAL_DECIMALS = 6;
/** The venue's base tier; HIP-3 markets cost twice as much. */
const FEES = { taker: decimal('0.00045'), maker: decimal('0.00015') };
const HIP3_FEE_FACTOR = 2;
/** Charged each hour; the interest part of it is 0.01 % in eight of them. */
const FUNDING = { rate: decimal('0.0000125'), intervalMs: 60 * 60 * 1000 };
const MIN_NOTIONAL = decimal('10');
const FIRST_HIP3_ASSET = 100_000;
const ASSETS_PER_DEX = 10_000;

interface Row {
  readonly coin: string;
  readonly szDecimals: number;
  readonly maxLeverage: number;
  /** Spacing of generated prices: coarse enough to stay a valid price when the market moves tenfold. */
  readonly step: string;
  readonly startPrice: string;
  readonly levelQuantity: string;
  readonly assetClass?: PaperMarket['assetClass'];
}

const ROWS: Readonly<Record<string, readonly Row[]>> = {
  '': [
    { coin: 'BTC', szDecimals: 5, maxLeverage: 40, step: '1', startPrice: '97000', levelQuantity: '1.5' },
    { coin: 'ETH', szDecimals: 4, maxLeverage: 25, step: '0.1', startPrice: '3600', levelQuantity: '30' },
    { coin: 'SOL', szDecimals: 2, maxLeverage: 20, step: '0.01', startPrice: '235', levelQuantity: '400' },
    { coin: 'XRP', szDecimals: 0, maxLeverage: 20, step: '0.0001', startPrice: '1.95', levelQuantity: '9000' },
    { coin: 'DOGE', szDecimals: 0, maxLeverage: 10, step: '0.00001', startPrice: '0.15', levelQuantity: '90000' },
  ],
  xyz: [
    { coin: 'xyz:XYZ100', szDecimals: 4, maxLeverage: 20, step: '1', startPrice: '25000', levelQuantity: '4', assetClass: 'index' },
    { coin: 'xyz:TSLA', szDecimals: 3, maxLeverage: 10, step: '0.01', startPrice: '400', levelQuantity: '200', assetClass: 'equity' },
    { coin: 'xyz:GOLD', szDecimals: 4, maxLeverage: 20, step: '0.1', startPrice: '4100', levelQuantity: '20', assetClass: 'commodity' },
  ],
  flx: [{ coin: 'flx:TSLA', szDecimals: 3, maxLeverage: 10, step: '0.01', startPrice: '400', levelQuantity: '100', assetClass: 'equity' }],
};

/** What margins a dex. */
export function collateralOf(dex: string): string {
  return DEXES.find(({ name }) => name === dex)?.collateral ?? 'USDC';
}

function assetOf(row: Row, dex: string, index: number): HyperliquidAsset {
  const dexIndex = DEXES.findIndex(({ name }) => name === dex);
  const asset = dexIndex === 0 ? index : FIRST_HIP3_ASSET + dexIndex * ASSETS_PER_DEX + index;
  const factor = dexIndex === 0 ? 1 : HIP3_FEE_FACTOR;
  const lotSize = decimal(row.szDecimals === 0 ? '1' : `0.${'0'.repeat(row.szDecimals - 1)}1`);
  const market: PaperMarket = {
    symbol: row.coin,
    base: row.coin.replace(/^.*:/, ''),
    quote: collateralOf(dex),
    kind: 'perpetual',
    assetClass: row.assetClass ?? 'crypto',
    tickSize: decimal(row.step),
    tickRule: { kind: 'significant', figures: 5, maxDecimals: PERPETUAL_DECIMALS - row.szDecimals, integersAlwaysValid: true },
    lotSize,
    minQuantity: lotSize,
    minNotional: MIN_NOTIONAL,
    maxLeverage: row.maxLeverage,
    onlyIsolated: dexIndex !== 0,
    endsExcessReductions: true,
    makerFeeRate: FEES.maker.times(factor),
    takerFeeRate: FEES.taker.times(factor),
    funding: FUNDING,
    status: 'open',
    recordedAs: dexIndex === 0 ? `${row.coin}USDT` : row.coin,
    startPrice: decimal(row.startPrice),
    levelQuantity: decimal(row.levelQuantity),
  };
  return { coin: row.coin, dex, asset, szDecimals: row.szDecimals, maxLeverage: row.maxLeverage, onlyIsolated: dexIndex !== 0, market };
}

export const ASSETS: readonly HyperliquidAsset[] = DEXES.flatMap(({ name }) => (ROWS[name] ?? []).map((row, index) => assetOf(row, name, index)));
export const HYPERLIQUID_MARKETS: readonly PaperMarket[] = ASSETS.map(({ market }) => market);

const BY_ASSET = new Map(ASSETS.map((asset) => [asset.asset, asset]));
const BY_COIN = new Map(ASSETS.map((asset) => [asset.coin, asset]));

export function assetById(asset: number): HyperliquidAsset | undefined {
  return BY_ASSET.get(asset);
}

export function assetByCoin(coin: string): HyperliquidAsset | undefined {
  return BY_COIN.get(coin);
}

export function assetsOf(dex: string): readonly HyperliquidAsset[] {
  return ASSETS.filter((asset) => asset.dex === dex);
}

/** `meta` of a dex. */
export function metaView(dex: string): Record<string, unknown> {
  return {
    universe: assetsOf(dex).map(({ coin, szDecimals, maxLeverage, onlyIsolated }) => ({ szDecimals, name: coin, maxLeverage, marginTableId: maxLeverage, ...(onlyIsolated ? { onlyIsolated: true, marginMode: 'strictIsolated' } : {}) })),
    marginTables: [],
    collateralToken: tokenByName(collateralOf(dex))?.index ?? 0,
  };
}

const DEPLOYER = '0x88806a71d74ad0a510b350545c9ae490912f0888';

export function perpDexsView(): unknown[] {
  return DEXES.map(({ name, fullName }) => (name === '' ? null : { name, fullName, deployer: DEPLOYER, oracleUpdater: null, feeRecipient: null, assetToStreamingOiCap: [], subDeployers: [], deployerFeeScale: '1.0', lastDeployerFeeScaleChangeTime: '1970-01-01T00:00:00', assetToFundingMultiplier: [], assetToFundingInterestRate: [] }));
}

/** Spot is known by name only: the simulated venue trades no spot. */
export const SPOT_META = {
  tokens: [
    { name: 'USDC', szDecimals: 8, weiDecimals: 8, index: 0, tokenId: '0x6d1e7cde53ba9467b783cb7c530ce054', isCanonical: true, evmContract: null, fullName: null, deployerTradingFeeShare: '0.0' },
    { name: 'PURR', szDecimals: 0, weiDecimals: 5, index: 1, tokenId: '0xc1fb593aeffbeb02f85e0308e9956a90', isCanonical: true, evmContract: null, fullName: null, deployerTradingFeeShare: '0.0' },
    { name: 'USDH', szDecimals: 2, weiDecimals: 8, index: 2, tokenId: '0x54e00a5988577cb0b0c9ab0cb6ef7f4b', isCanonical: false, evmContract: null, fullName: null, deployerTradingFeeShare: '0.0' },
  ],
  universe: [{ name: 'PURR/USDC', tokens: [1, 0], index: 0, isCanonical: true }],
} as const;

/** A token as transfers name it, `USDC:0x…`, or by its name alone. */
export function tokenByName(name: unknown): (typeof SPOT_META.tokens)[number] | undefined {
  return SPOT_META.tokens.find((token) => name === token.name || name === `${token.name}:${token.tokenId}`);
}
