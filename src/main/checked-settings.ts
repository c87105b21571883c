/** What is wrong with settings although each can be read: told in one line before anything is started. */
import { accessSync, constants, statSync } from 'node:fs';
import path from 'node:path';
import type { Settings } from '../config/settings';
import { wrongSetting } from '../config/setting-texts';
import { venueVariable, type VenueSettings } from '../config/venue-settings';
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
export function checkRecording({ paperData, venues }: Pick<Settings, 'paperData' | 'venues'>): void {
  if (paperData === undefined || !venues.some((venue) => venue.adapter === 'paper' && venue.httpUrl === undefined)) return;
  const file = path.resolve(paperData);
  try {
    accessSync(file, constants.R_OK);
  } catch (error) {
    throw wrongSetting('SUREFILL_PAPER_DATA', `be a file that can be read (${(error as NodeJS.ErrnoException).code})`, paperData);
  }
  if (!statSync(file).isFile()) throw wrongSetting('SUREFILL_PAPER_DATA', 'be a file, not a folder', paperData);
}
