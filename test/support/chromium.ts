/** A browser of this machine, driven from outside. */
import { accessSync, constants } from 'node:fs';
import path from 'node:path';
import { chromium, type Browser } from 'playwright-core';

const NAMES = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable'];

/** Its program; null where the machine has none. */
export function findChromium(searchPath = process.env['PATH'] ?? ''): string | null {
  const files = searchPath.split(path.delimiter).flatMap((folder) => NAMES.map((name) => path.join(folder, name)));
  return files.find(isProgram) ?? null;
}

/** @throws Error when the machine has no Chromium. */
export async function startChromium(): Promise<Browser> {
  const executablePath = findChromium();
  if (executablePath === null) throw new Error('no Chromium on PATH: install it, or skip the test with findChromium()');
  // Its sandbox does not run as root; the pages are our own.
  return chromium.launch({ executablePath, args: process.getuid?.() === 0 ? ['--no-sandbox'] : [] });
}

function isProgram(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false; // the next name, or the next folder
  }
}
