/**
 * Waits for a condition by asking again and again; the condition, not the time, ends the wait.
 * @returns the first value that is neither undefined nor false
 */
export async function until<T>(
  condition: () => T | Promise<T>,
  { timeoutMs = 20_000, what = 'the condition' }: { timeoutMs?: number; what?: string } = {},
): Promise<Exclude<T, undefined | false>> {
  const deadline = performance.now() + timeoutMs
  for (;;) {
    const value = await condition()
    if (value !== undefined && value !== false) return value as Exclude<T, undefined | false>
    if (performance.now() > deadline) throw new Error(`Waited ${timeoutMs} ms for ${what}.`)
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
}
