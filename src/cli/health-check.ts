/**
 * What HEALTHCHECK of the image runs: ends with 0 when the service of this container is alive. It is a server
 * or a worker, and the environment that it has tells where it answers.
 */
import { get } from 'node:http'
import { parsePorts, readEnvironment } from '../config.ts'

/** Shorter than that of HEALTHCHECK, so that there is a reason to read. */
const patienceMs = 3000

/** Undefined: it is alive. Else what was seen instead. */
const problemAt = (port: number): Promise<string | undefined> =>
  new Promise((resolve) => {
    const address = { host: '127.0.0.1', port, path: '/healthz', agent: false }
    const request = get({ ...address, timeout: patienceMs }, (response) => {
      response.resume()
      resolve(response.statusCode === 200 ? undefined : `status ${response.statusCode ?? 0}`)
    })
    request.on('timeout', () => {
      resolve(`no answer within ${patienceMs / 1000} s`)
      request.destroy()
    })
    request.on('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message))
  })

const { port, workerPort } = parsePorts(readEnvironment())
const ports = [port, workerPort]
const problems = await Promise.all(ports.map(problemAt))
if (!problems.includes(undefined)) {
  const seen = ports.map((each, n) => `port ${each}: ${problems[n] ?? ''}`)
  process.stderr.write(`Neither a server nor a worker is alive: ${seen.join(', ')}\n`)
  process.exitCode = 1
}
