/** What was acquired, to be released last in, first out, once. */
export interface Resources {
  /** Registers how to release `resource`, and returns it. */
  add<T>(resource: T, release: (resource: T) => Promise<void> | void): T
  /** Releases everything, each even if another fails; safe to call again. @throws the first failure */
  release(): Promise<void>
}

export function createResources(): Resources {
  const releases: (() => Promise<void> | void)[] = []
  let released: Promise<void> | undefined

  async function releaseAll(): Promise<void> {
    const failures: unknown[] = []
    for (let release; (release = releases.pop()) !== undefined;) {
      try {
        await release()
      } catch (error) {
        failures.push(error)
      }
    }
    if (failures.length > 0) throw failures[0]
  }

  return {
    add(resource, release) {
      releases.push(() => release(resource))
      return resource
    },
    release: () => (released ??= releaseAll()),
  }
}
