import { randomBytes } from 'node:crypto'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestProject } from 'vitest/node'
import type { BinariesSource } from '../../src/embedded/postgres-binaries.ts'
import { removeStackData } from '../../src/embedded/remove-stack-data.ts'
import { startStack, type StackValues } from '../../src/embedded/stack.ts'

declare module 'vitest' {
  interface ProvidedContext {
    /** The environment for the embedded stack of this run: `inject('stack')`. */
    stack: StackValues & { readonly WORKER_PORT: string }
    /** Which PostgreSQL that is, and any other that a test starts: each project of vitest has its own. */
    postgres: BinariesSource
  }
}

/** Vitest's global setup: one embedded stack for the whole run, in a folder that goes with it. */
export async function setup(project: TestProject): Promise<() => Promise<void>> {
  const dataDir = join(tmpdir(), `longhaul-test-${randomBytes(6).toString('hex')}`)
  const { postgres: binaries } = project.getProvidedContext()
  const stack = await startStack({ dataDir, durable: false, binaries }).catch(
    async (error: unknown) => {
      await removeStackData(dataDir)
      throw error
    },
  )
  project.provide('stack', { ...stack.values, WORKER_PORT: '0' })
  return async () => {
    await stack.stop()
    await removeStackData(dataDir)
  }
}
