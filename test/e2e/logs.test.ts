import { spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { expect, it, onTestFinished } from 'vitest'
import { describeWith } from '../support/describe-with.ts'
import { fixtureRange, insertFixtureServices } from '../support/fixture-services.ts'
import { findProgram } from '../support/find-program.ts'
import { serviceEnvironment } from '../support/run-cli.ts'
import { makeSourceSlow } from '../support/slow-source.ts'
import { startTestSystem } from '../support/system.ts'
import { until } from '../support/until.ts'

type Event = Readonly<Record<string, unknown>>

it('a log says of each event of an export which one it is, and of an attempt which', async () => {
  const system = await startTestSystem(onTestFinished)
  await insertFixtureServices(system.database.pool)
  const events = () => system.logLines.map((line) => JSON.parse(line) as Event)
  const { id } = await system.client.request({ ...fixtureRange })
  await system.client.wait(id)
  const about = await until(() => {
    const found = events().filter(({ export_id }) => export_id === id)
    return found.some(({ msg }) => msg === 'job done') && found
  })
  const requested = about.find(({ msg }) => msg === 'export requested')
  expect(requested?.['request_id']).toMatch(/^[\w-]{36}$/)
  expect(about.find(({ msg }) => msg === 'job done')).toMatchObject({ attempt: 1, rows: 5 })

  await makeSourceSlow(system.database)
  const slow = await system.client.request({ ...fixtureRange })
  await until(async () => (await system.client.status(slow.id)).state === 'running')
  await system.client.cancel(slow.id)
  const canceled = await until(() =>
    events().find(({ export_id, state }) => export_id === slow.id && state === 'canceled'),
  )
  expect(canceled).toMatchObject({ attempt: 1 })
})

const script = findProgram('script')
const missing = script === undefined ? 'there is no script(1), which makes a terminal' : undefined
const main = fileURLToPath(new URL('../../dist/src/cli/main.js', import.meta.url))

describeWith('script', missing, 'a terminal', () => {
  it('shows a person words rather than JSON', async () => {
    const system = await startTestSystem(onTestFinished, { worker: false })
    const command = `exec '${process.execPath}' '${main}' worker`
    const child = spawn(script!, ['-qec', command, '/dev/null'], {
      env: { ...serviceEnvironment(system), PATH: process.env['PATH'], WORKER_PORT: '0' },
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    const ended = new Promise((resolve) => child.on('close', resolve))
    onTestFinished(async () => {
      child.kill('SIGKILL')
      await ended
    })
    let shown = ''
    child.stdout.setEncoding('utf8').on('data', (text: string) => (shown += text))
    await until(() => shown.includes('worker ready'))
    expect(shown).toMatch(/INFO.*worker ready/)
    expect(shown).not.toContain('{"level"')
    expect(shown).toMatch(/concurrency: .*2/)
    child.kill('SIGTERM')
    await ended
  })
})
