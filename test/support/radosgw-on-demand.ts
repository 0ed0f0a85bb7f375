import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { TestProject } from 'vitest/node'
import { requiredTools } from './optional-tools.ts'
import { missingForRadosgw, startRadosgw, type Radosgw } from './radosgw.ts'

declare module 'vitest' {
  interface ProvidedContext {
    /** Where to ask for the radosgw of this run; and why there is none, if so. */
    radosgw: { readonly starter: string; readonly missing?: string }
  }
}

/**
 * Vitest's global setup, before the stack's: one radosgw for the whole run, with the keys of the stack,
 * started when the first test asks for it. A run of other tests does not pay for it.
 */
export async function setup(project: TestProject): Promise<(() => Promise<void>) | undefined> {
  // a misspelt name ends the run here, before anything was started
  requiredTools()
  const missing = missingForRadosgw()
  if (missing !== undefined) {
    project.provide('radosgw', { starter: '', missing })
    return undefined
  }

  const start = () => {
    const { stack } = project.getProvidedContext()
    const { AWS_ACCESS_KEY_ID: accessKeyId, AWS_SECRET_ACCESS_KEY: secretAccessKey } = stack
    return startRadosgw({ accessKeyId, secretAccessKey })
  }
  let started: Promise<Radosgw> | undefined
  const starter = createServer((_request, response) => {
    started ??= start()
    started.then(
      ({ endpoint }) => response.end(endpoint),
      (error: unknown) => response.writeHead(500).end(String(error)),
    )
  })
  starter.listen(0, '127.0.0.1')
  await once(starter, 'listening')
  const { port } = starter.address() as AddressInfo
  project.provide('radosgw', { starter: `http://127.0.0.1:${port}` })
  return async () => {
    starter.close()
    starter.closeAllConnections()
    // one that did not start has left nothing
    const radosgw = await started?.catch(() => undefined)
    await radosgw?.stop()
  }
}
