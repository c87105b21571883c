/** Text by name: an environment, or the settings stored in the database. */
export type SettingTexts = Readonly<Record<string, string | undefined>>;

/** A setting has a wrong value. The message is one line that names it, says what it must be and what it was. */
export class SettingError extends Error {
  override readonly name = 'SettingError';
}

/** A variable set to nothing (`PORT=` in an env file) counts as not given. */
export function textOf(texts: SettingTexts, env: string): string | undefined {
  const value = texts[env]?.trim();
  return value === undefined || value === '' ? undefined : value;
}

/** The one form of the error about a wrong setting; a secret's value is left out (`given` undefined). */
export function wrongSetting(env: string, must: string, given: string | undefined): SettingError {
  return new SettingError(`${env} must ${must}${given === undefined ? '' : `, got ${JSON.stringify(given)}`}`);
}
