/** What our calls cost of the 1,200 of weight a minute that the venue gives an address of the network. Source: its documentation, "Rate limits". */
import type { VenueCall, VenueCallName } from '../decorate';
import type { WeightOf } from '../rate-limiter';

/** An action weighs 1 more for each so many orders in it. */
const ORDERS_PER_WEIGHT = 40;
/** l2Book, allMids, clearinghouseState, orderStatus, exchangeStatus. */
const LIGHT = 2;
/** userRole: whose agent this is. */
const ROLE = 60;
const HEAVY = 20;

/** Reads that are asked of each dex apart. */
const PER_DEX: Readonly<Partial<Record<VenueCallName, number>>> = { markets: HEAVY, tickers: HEAVY, openOrders: HEAVY, positions: LIGHT, balances: LIGHT };
const FIXED: Readonly<Partial<Record<VenueCallName, number>>> = {
  orderBook: LIGHT,
  findOrder: LIGHT,
  setLeverage: 1,
  voidNonce: 1,
  // The position and its funding since, at most.
  moveOutcome: HEAVY + LIGHT,
  bridgeCredits: HEAVY,
  exitsShown: HEAVY,
  // The venue's clock, then the switch.
  setDeadManSwitch: LIGHT + 1,
  // The agent's standing, then a signed action.
  checkCredentials: ROLE + 1,
  // The market's own figures and what is predicted.
  funding: 2 * HEAVY,
  // A month of hours is two answers.
  fundingHistory: 2 * HEAVY,
};

/** `dexes`: how many are traded beside the venue's own. */
export function hyperliquidWeightOf(dexes: number): WeightOf {
  return ({ call, request }: VenueCall) => {
    if (request !== null) {
      const items = itemsIn(request.bytes);
      // A canceled order is read once more.
      return 1 + Math.floor(items / ORDERS_PER_WEIGHT) + (request.kind === 'cancel' ? items * LIGHT : 0);
    }
    const each = PER_DEX[call];
    if (each !== undefined) return each * (1 + dexes) + (call === 'balances' ? ROLE : 0);
    return FIXED[call] ?? HEAVY;
  };
}

/** Orders in stored bytes: each names its market once. */
function itemsIn(bytes: string): number {
  let count = 0;
  for (let at = bytes.indexOf(MARKET_KEY); at !== -1; at = bytes.indexOf(MARKET_KEY, at + MARKET_KEY.length)) count += 1;
  return count;
}

const MARKET_KEY = '"venueSymbol"';
