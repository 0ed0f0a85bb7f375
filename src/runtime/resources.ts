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

/** Runs `build`; what it has acquired is released when it fails. The caller owns it when it succeeds. */
export async function withResources<T>(build: (resources: Resources) => Promise<T>): Promise<T> {
  const resources = createResources()
  try {
    return await build(resources)
  } catch (error) {
    await resources.release().catch(() => undefined)
    throw error
  }
}
