/** What is wrong with settings although each can be read: told in one line before anything is started. */
import { accessSync, constants, statSync } from 'node:fs';
import path from 'node:path';
import { CHAIN_VARIABLES, chainVariable } from '../config/deposit-settings';
import type { Settings } from '../config/settings';
import { SETTINGS_TABLE } from '../config/settings-table';
import { textOf, wrongSetting, type SettingTexts } from '../config/setting-texts';
import { VENUE_VARIABLES, venueVariable, type VenueSettings } from '../config/venue-settings';
import { MARKETS_KNOWN } from '../simulator/options';
import { checkRecording } from '../simulator/recordings';
import { ADAPTER_NAMES, isAdapterName } from '../venues/adapter-names';

/** @throws SettingError for a venue that no adapter speaks to, or of which one address of the two is missing. */
export function checkVenues(venues: readonly VenueSettings[]): void {
  for (const { name, adapter, httpUrl, wsUrl } of venues) {
    if (!isAdapterName(adapter)) throw wrongSetting('SUREFILL_VENUES', `name adapters that there are (${ADAPTER_NAMES.join(', ')})`, adapter);
    if ((httpUrl === undefined) === (wsUrl === undefined)) continue;
    // One without the other would ask one network and listen to another.
    const [missing, given] = httpUrl === undefined ? (['HTTP_URL', 'WS_URL'] as const) : (['WS_URL', 'HTTP_URL'] as const);
    throw wrongSetting(venueVariable(name, missing), `be set too, where ${venueVariable(name, given)} is`, undefined);
  }
}

/** @throws SettingError for a recording that a simulator of ours could not read. */
export async function checkPaperData({ paperData, paperDataMarket, venues }: Pick<Settings, 'paperData' | 'paperDataMarket' | 'venues'>): Promise<void> {
  if (paperData === undefined || !venues.some((venue) => venue.adapter === 'paper' && venue.httpUrl === undefined)) return;
  const file = path.resolve(paperData);
  try {
    accessSync(file, constants.R_OK);
  } catch (error) {
    throw wrongSetting('SUREFILL_PAPER_DATA', `be a file that can be read (${(error as NodeJS.ErrnoException).code})`, paperData);
  }
  if (!statSync(file).isFile()) throw wrongSetting('SUREFILL_PAPER_DATA', 'be a file, not a folder', paperData);
  try {
    await checkRecording(file, MARKETS_KNOWN.paper, paperDataMarket ?? null);
  } catch (error) {
    // The recording names what to set as the simulator's own command line does.
    const reason = (error as Error).message.replaceAll('--data-market', SETTINGS_TABLE.paperDataMarket.env);
    throw wrongSetting('SUREFILL_PAPER_DATA', `be a recording that the paper venue can play: ${reason}`, undefined);
  }
}

/** Read by scripts and tests, not by the program. */
const OF_TESTS = /^SUREFILL_(TEST|TESTNET|SHARED)_/;

/** Names given that nothing reads, in order: misspelt, or of a venue or chain that is not named. They are told, never an error: a newer version may know them. */
export function strayNames(environment: SettingTexts, { venues, chains }: Pick<Settings, 'venues' | 'chains'>): readonly string[] {
  const known = new Set([
    ...Object.values(SETTINGS_TABLE).map((row) => row.env),
    ...venues.flatMap(({ name }) => VENUE_VARIABLES.map((what) => venueVariable(name, what))),
    ...chains.flatMap(({ name }) => CHAIN_VARIABLES.map((what) => chainVariable(name, what))),
  ]);
  return Object.keys(environment).filter((name) => name.startsWith('SUREFILL_') && textOf(environment, name) !== undefined && !OF_TESTS.test(name) && !known.has(name)).sort();
}
