/**
 * Wait until something is true; looks every 20 ms.
 * @throws after `timeoutMs`, naming the last fault seen.
 */
export async function until(
  condition: () => boolean | Promise<boolean>,
  timeoutMs = 20_000,
): Promise<void> {
  const end = Date.now() + timeoutMs;
  let fault: unknown;
  for (;;) {
    try {
      if (await condition()) return;
      fault = undefined;
    } catch (error) {
      fault = error;
    }
    if (Date.now() > end)
      throw new Error(`not within ${timeoutMs} ms: ${condition}`, { cause: fault });
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
