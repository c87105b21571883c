/** Waits for what no event tells: asks again until it is so. A limit against hanging, not an assertion. */
const ASK_AGAIN_MS = 5;
const WAIT_LIMIT_MS = 30_000;

export async function until(what: string, condition: () => boolean | Promise<boolean>): Promise<void> {
  const limit = performance.now() + WAIT_LIMIT_MS;
  while (!(await condition())) {
    if (performance.now() > limit) throw new Error(`waited in vain for ${what}`);
    await new Promise((resolve) => setTimeout(resolve, ASK_AGAIN_MS));
  }
}
