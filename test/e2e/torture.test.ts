import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { expect, it, onTestFinished } from 'vitest'

const main = fileURLToPath(new URL('../../dist/test/torture/main.js', import.meta.url))

/** The first number of the report's line that begins so. */
const countOf = (report: string, line: string): number =>
  Number(
    new RegExp(`^ *${line} +(\\d+)|^${line}: (\\d+)`, 'm').exec(report)?.slice(1).join('') ?? 0,
  )

it('a minute of torture breaks no promise', { timeout: 900_000 }, async () => {
  if (!existsSync(main)) {
    throw new TypeError(`${main} is missing: run \`npm run build:torture\` first.`)
  }
  // before the test's own limit, which would not say how far it came
  const child = spawn(process.execPath, [main, '--minutes', '1'], {
    ...{ stdio: ['ignore', 'pipe', 'inherit'], timeout: 840_000, killSignal: 'SIGTERM' },
  })
  onTestFinished(() => void child.kill('SIGTERM'))
  let report = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => (report += text))
  const [code] = (await once(child, 'close')) as [number | null]
  expect(code, report).toBe(0)

  // faults come by the clock; how many exports there are is for the machine to say
  expect(countOf(report, 'faults'), report).toBeGreaterThanOrEqual(22)
  expect(countOf(report, 'worker SIGKILL')).toBeGreaterThanOrEqual(3)
  expect(countOf(report, '(?:control|source) SIGKILL')).toBeGreaterThanOrEqual(1)
  expect(countOf(report, 'store SIGKILL')).toBeGreaterThanOrEqual(1)
  expect(countOf(report, 'exports')).toBeGreaterThanOrEqual(8)
})
