import { afterAll } from 'vitest'
import { createResources } from '../../src/runtime/resources.ts'
import type { Release } from './release.ts'

/**
 * For what a `beforeAll` acquires: released last in, first out, when the file's tests are over. To be called outside of
 * any hook: an `afterAll` that is registered within a `beforeAll` is never run, and nobody is told (vitest 4.1).
 */
export function releaseAfterAll(): Release {
  const resources = createResources()
  afterAll(() => resources.release())
  return (release) => {
    resources.add(undefined, release)
  }
}
