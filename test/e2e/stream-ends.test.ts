import { execFile } from 'node:child_process'
import http from 'node:http'
import { onTestFinished, describe, expect, it } from 'vitest'
import { MiB } from '../../src/runtime/units.ts'
import { runningQueries } from '../support/exports-table.ts'
import { fixtureRange, insertService } from '../support/fixture-services.ts'
import { openStream, readStream, streamQuery } from '../support/read-stream.ts'
import { expectNothingLeaked } from '../support/secrets.ts'
import { makeSourceSlow } from '../support/slow-source.ts'
import { startTestSystem, type TestSystem, type TestSystemOptions } from '../support/system.ts'
import { until } from '../support/until.ts'

const content = { ...fixtureRange, export_content: true }

const startServer = (options: TestSystemOptions['environment'] = {}) =>
  startTestSystem(onTestFinished, { worker: false, environment: options })

/** Events of the log with this message. */
const logged = ({ logLines }: TestSystem, message: string) =>
  logLines
    .map((line) => JSON.parse(line) as Record<string, unknown>)
    .filter((event) => event['msg'] === message)

async function expectNoQueryWithin(system: TestSystem, timeoutMs: number): Promise<void> {
  const ended = async () => (await runningQueries(system.database)).length === 0
  await until(ended, { timeoutMs, what: 'the query to end' })
}

const queryRuns = (system: TestSystem) =>
  until(async () => (await runningQueries(system.database)).length > 0)

/** PostgreSQL waits for us to ask for rows, and we for the client: seen ten times in a row. */
async function expectReaderWaits({ database }: TestSystem): Promise<void> {
  let seen = 0
  const waits = async () => {
    const { rowCount } = await database.pool.query(
      `select 1 from pg_stat_activity where datname = current_database()
       and application_name = 'longhaul' and state = 'idle in transaction'`,
    )
    seen = rowCount === 1 ? seen + 1 : 0
    return seen === 10
  }
  await until(waits, { what: 'the reader to wait for the client' })
}

/** Adds a service that cannot be exported, after many that can. */
async function breakLate({ database }: TestSystem): Promise<void> {
  await database.pool.query(
    `insert into context_services.services (service_id, service_type, started_at, extensions)
     select 'good-' || n, '100', timestamptz '2014-07-22T12:00:00Z' + n * interval '1 ms',
            jsonb_build_object('padding', repeat('x', 1000))
     from generate_series(1, 3000) n`,
  )
  await insertService(database.pool, {
    service_id: 'bad',
    started_at: '2014-07-22T17:00:00Z',
    extensions: 'no object',
  })
}

/**
 * What cat makes of an answer to a request of HTTP/1.0. Not Node: its event loop takes a reset for an
 * orderly end when unread bytes lie before it (libuv, uv__stream_io).
 */
function catHttp10(base: string, path: string) {
  const { hostname, port } = new URL(base)
  const script =
    'exec 3<>"/dev/tcp/$1/$2"; printf "GET %s HTTP/1.0\\r\\n\\r\\n" "$3" >&3; exec cat <&3'
  const options = { encoding: 'latin1', maxBuffer: 64 * MiB, env: { LC_ALL: 'C' } } as const
  return new Promise<{ code: number; stdout: string; stderr: string }>((resolve) => {
    const args = ['-c', script, 'cat-http10', hostname, port, path]
    const child = execFile('/bin/bash', args, options, (_error, stdout, stderr) =>
      resolve({ code: child.exitCode ?? -1, stdout, stderr }),
    )
  })
}

describe('a client that leaves', () => {
  it('before the first byte ends the query within two seconds', async () => {
    const system = await startServer()
    await makeSourceSlow(system.database)
    const request = http.get(`${system.url}${streamQuery(content)}`, { agent: false })
    request.on('error', () => undefined)
    await queryRuns(system)
    request.destroy()
    await expectNoQueryWithin(system, 2000)
    await until(() => logged(system, 'stream broken off').length > 0)
    expect(logged(system, 'stream broken off')).toMatchObject([{ level: 'info' }])
  })

  it('after the first bytes ends the query within two seconds', async () => {
    const system = await startServer()
    await makeSourceSlow(system.database, { quick: 2000, bytes: 1000 })
    const response = await openStream(system.url, content)
    response.on('error', () => undefined)
    await new Promise((resolve) => response.once('data', resolve))
    await queryRuns(system)
    response.destroy()
    await expectNoQueryWithin(system, 2000)
  })

  it('while it read nothing, with its buffers full, ends the query within two seconds', async () => {
    const system = await startServer()
    await makeSourceSlow(system.database, { quick: 30_000, bytes: 1000 })
    const response = await openStream(system.url, content)
    response.on('error', () => undefined)
    await expectReaderWaits(system)
    response.destroy()
    await expectNoQueryWithin(system, 2000)
  })

  it('gives its place to the next one', async () => {
    const system = await startServer({ STREAM_CONCURRENCY: '1' })
    await makeSourceSlow(system.database)
    const first = http.get(`${system.url}${streamQuery(content)}`, { agent: false })
    first.on('error', () => undefined)
    await queryRuns(system)
    const refused = await openStream(system.url, content)
    expect(refused.statusCode).toBe(503)
    refused.resume()
    first.destroy()
    const early = { ...fixtureRange, time_to: '2014-07-22T12:00:00.001Z' }
    await until(async () => (await openStream(system.url, early)).statusCode === 200)
  })
})

describe('a query that fails', () => {
  it('before the first byte is an error like any other, without a secret in it', async () => {
    const system = await startServer()
    await insertService(system.database.pool, {
      service_id: 'bad',
      started_at: '2014-07-22T17:00:00Z',
      extensions: 'no object',
    })
    const response = await openStream(system.url, content)
    const body = JSON.parse(String((await response.toArray())[0])) as Record<string, string>
    expect(response.statusCode).toBe(500)
    expect(Object.keys(body)).toEqual(['message', 'exception'])
    expect(body['exception']).toBe('EncodeError')
    expect(body['message']).toContain('"bad"')
    await expectNothingLeaked(system)
  })

  it('after the first byte breaks the connection, so that nothing looks complete', async () => {
    const system = await startServer()
    await breakLate(system)
    await expect(readStream(system.url, content)).rejects.toThrow(/aborted|ECONNRESET/)
    await expect(readStream(system.url, content, { 'accept-encoding': 'gzip' })).rejects.toThrow(
      /aborted|ECONNRESET/,
    )
    await expect(
      fetch(`${system.url}${streamQuery(content)}`).then((r) => r.text()),
    ).rejects.toThrow()
    expect(logged(system, 'stream broken off')).toMatchObject(
      Array.from({ length: 3 }, () => ({ level: 'error', err: { type: 'EncodeError' } })),
    )
    await expectNoQueryWithin(system, 2000)
  })

  it('resets the connection of an HTTP/1.0 client, which knows no unfinished chunks', async () => {
    const system = await startServer()
    await breakLate(system)
    const { code, stdout, stderr } = await catHttp10(system.url, streamQuery(content))
    expect([code, stderr]).toEqual([1, expect.stringMatching(/reset by peer/i)])
    expect(stdout).toMatch(/^HTTP\/1\.1 200 OK/)
    expect(stdout).not.toContain('transfer-encoding')
  })

  it('breaks the connection when PostgreSQL ends in mid-stream', async () => {
    const system = await startServer()
    await makeSourceSlow(system.database, { quick: 2000, bytes: 1000 })
    const response = await openStream(system.url, content)
    const read = response.toArray()
    read.catch(() => undefined)
    await new Promise((resolve) => response.once('data', resolve))
    await queryRuns(system)
    await system.database.pool.query(
      `select pg_terminate_backend(pid) from pg_stat_activity
       where datname = current_database() and application_name = 'longhaul' and state <> 'idle'`,
    )
    await expect(read).rejects.toThrow(/aborted|ECONNRESET/)
  })
})

describe('a stream that does not move', () => {
  it('is broken off after STALL_SECONDS when its client stops reading', async () => {
    const system = await startServer({ STALL_SECONDS: '1' })
    await makeSourceSlow(system.database, { quick: 30_000, bytes: 1000 })
    const response = await openStream(system.url, content)
    response.on('error', () => undefined)
    await until(() => logged(system, 'stream broken off').length > 0)
    expect(logged(system, 'stream broken off')).toMatchObject([
      { reason: 'The stream did not move for 1 s.' },
    ])
    await expectNoQueryWithin(system, 2000)
  })

  it('or takes longer than EXPORT_MAX_SECONDS is broken off as well', async () => {
    const system = await startServer({ EXPORT_MAX_SECONDS: '1' })
    await makeSourceSlow(system.database, { quick: 2000, bytes: 1000 })
    await expect(readStream(system.url, content)).rejects.toThrow(/aborted|ECONNRESET/)
    await until(() => logged(system, 'stream broken off').length > 0)
    expect(logged(system, 'stream broken off')).toMatchObject([
      { reason: 'The stream took longer than 1 s.' },
    ])
    await expectNoQueryWithin(system, 2000)
  })

  it('is answered with 503 after STALL_SECONDS when its first row does not come', async () => {
    const system = await startServer({ STALL_SECONDS: '1' })
    await makeSourceSlow(system.database)
    await expect(readStream(system.url, content)).rejects.toThrow(
      /^503: .*No row has come from the source database for 1 s/,
    )
    await expectNoQueryWithin(system, 2000)
  })
})

describe('a server that is stopped', () => {
  it('breaks off its streams when the grace period is over', async () => {
    const system = await startServer({ SHUTDOWN_GRACE_SECONDS: '0' })
    await makeSourceSlow(system.database, { quick: 2000, bytes: 1000 })
    const response = await openStream(system.url, content)
    const broken = new Promise((resolve) => response.once('error', resolve))
    response.resume()
    await queryRuns(system)
    await system.stopServer()
    expect(await broken).toMatchObject({ code: 'ECONNRESET' })
    await expectNoQueryWithin(system, 2000)
  })

  it('lets a stream end that can within the grace period', async () => {
    const system = await startServer({ SHUTDOWN_GRACE_SECONDS: '20' })
    await breakLate(system)
    await system.database.pool.query(
      `delete from context_services.services where service_id = 'bad'`,
    )
    const response = await openStream(system.url, content)
    const stopped = system.stopServer()
    const bytes = (await response.toArray()) as Buffer[]
    expect(JSON.parse(Buffer.concat(bytes).toString())).toHaveLength(3000)
    await stopped
  })
})
