/** With TEMPORAL_PAYLOAD_KEYS an order is unreadable in the Temporal Web UI, and readable to an operator's browser that has the codec endpoint. */
import { randomBytes, randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { Browser, Page } from 'playwright-core';
import { ApiClient } from '../support/api-client';
import { findChromium, startChromium } from '../support/chromium';
import { npmStart, startEnvironment, type NpmStart } from '../support/npm-start';

const isHere = findChromium() !== null;
if (!isHere) console.warn('web-ui.test.ts: no chromium is installed here, so nobody looks at the Temporal Web UI');

/** A word of the order's input, and one of its result. */
const INPUT = '"signerId"';
const RESULT = '"accepted"';
/** What stands in their place. */
const ENCRYPTED = '"encryption-key-id"';

(isHere ? describe : describe.skip)('the Web UI, with what Temporal stores encrypted', () => {
  let running: NpmStart;
  let browser: Browser;
  let api: ApiClient;
  let workflowPage = '';
  let codec = '';

  beforeAll(async () => {
    const { home, environment } = await startEnvironment();
    running = npmStart({ ...environment, TEMPORAL_PAYLOAD_KEYS: randomBytes(32).toString('hex') });
    const ready = await running.ready();
    api = new ApiClient(`${ready.get('api')}`, readFileSync(path.join(home, 'owner-key'), 'utf8').trim());
    const accountId = await api.accountNamed('paper');
    await api.balanceKnown(accountId);
    const clientOrderId = randomUUID();
    await api.until('the order', async () => {
      const { status } = await api.place({ accountId, clientOrderId, symbol: 'BTC-PERP', side: 'buy', type: 'limit', quantity: '0.01', limitPrice: '1000' });
      return status === 201 ? true : null;
    });
    codec = `${api.url}/api/v1/codec`;
    workflowPage = `${ready.get('temporal-ui')}/namespaces/default/workflows/${encodeURIComponent(`order/${accountId}/${clientOrderId}`)}`;
    browser = await startChromium();
  }, 180_000);

  afterAll(async () => {
    await browser.close();
    running.kill('SIGTERM');
    await running.exited;
  });

  /** What the Web UI's own dialog keeps: the address, and "include cross-origin credentials". */
  async function setCodecEndpoint(page: Page): Promise<void> {
    const kept = { endpoint: JSON.stringify(codec), includeCredentials: 'true', overrideRemoteCodecConfiguration: 'true' };
    for (const [name, value] of Object.entries(kept)) await page.evaluate(`localStorage.setItem(${JSON.stringify(name)}, ${JSON.stringify(value)})`);
  }

  const see = (page: Page, text: string): Promise<void> => page.getByText(text).first().waitFor();
  const sees = async (page: Page, text: string): Promise<boolean> => (await page.getByText(text).count()) > 0;

  test('shows an operator the order as it was given and what became of it, once the browser has the key', async () => {
    const context = await browser.newContext();
    const page = await context.newPage();
    await page.goto(workflowPage);
    await see(page, ENCRYPTED);
    expect([await sees(page, INPUT), await sees(page, RESULT)]).toEqual([false, false]);
    // As docs/operations.md says: the address opened once, with any name and the key as password.
    const signIn = await context.newPage();
    await signIn.goto(codec.replace('http://', `http://operator:${api.key}@`));
    await see(signIn, 'Signed in');
    await setCodecEndpoint(page);
    await page.reload();
    await see(page, INPUT);
    await see(page, RESULT);
    expect(await sees(page, ENCRYPTED)).toBe(false);
    await context.close();
  });
});
