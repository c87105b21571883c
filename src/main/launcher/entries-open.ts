/** After a start entries wait until PostgreSQL was compared with Temporal: `ready` is said when they pass. */
import { setTimeout as delay } from 'node:timers/promises';
import { request } from 'undici';

/** The comparison takes a second or two. Where the stores differ it takes as long as it takes: exits and reads pass meanwhile. */
const LIMIT_MS = 15_000;
const ASK_AGAIN_MS = 100;

/** Settles when entries pass; after a while it says why they do not, and settles as well. */
export async function untilEntriesPass(apiUrl: string, say: (text: string) => void): Promise<void> {
  const deadline = performance.now() + LIMIT_MS;
  for (;;) {
    const held = await heldBack(apiUrl);
    if (held === null) return;
    if (performance.now() > deadline) return say(`entries are held back: ${held}; GET ${apiUrl}/readyz tells when they pass`);
    await delay(ASK_AGAIN_MS);
  }
}

/** Why entries are held back; null: they pass. An API that does not answer is started again by its keeper. */
async function heldBack(apiUrl: string): Promise<string | null> {
  try {
    const { body } = await request(`${apiUrl}/readyz`);
    const { entries } = (await body.json()) as { readonly entries: { readonly status: string; readonly detail: string | null } };
    return entries.status === 'open' ? null : (entries.detail ?? entries.status);
  } catch (error) {
    return `the API does not answer (${error instanceof Error ? error.message : String(error)})`;
  }
}
