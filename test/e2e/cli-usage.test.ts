import { mkdir, writeFile } from 'node:fs/promises'
import http from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { beforeAll, describe, expect, it } from 'vitest'
import { version } from '../../src/version.ts'
import { releaseAfterAll } from '../support/release-after-all.ts'
import { createFolder, errorOf, runCli } from '../support/run-cli.ts'

const commands = [
  ...['demo', 'dev', 'migrate', 'seed', 'serve', 'worker'],
  ...['export', 'status', 'list', 'download', 'cancel', 'sweep', 'doctor'],
]
const nobody = { LONGHAUL_URL: 'http://127.0.0.1:1' }

/** Something that answers HTTP, but is not Longhaul. */
let stranger: string

const release = releaseAfterAll()
beforeAll(async () => {
  const server = http.createServer((_request, response) => response.end('<h1>It works!</h1>'))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  stranger = `127.0.0.1:${(server.address() as AddressInfo).port}`
  release(() => new Promise((resolve) => server.close(() => resolve())))
})

describe.concurrent('help', () => {
  it('of the program names every command and every exit code', async () => {
    const { code, stdout, stderr } = await runCli(['--help'])
    expect([code, stderr]).toEqual([0, ''])
    for (const name of commands) expect(stdout).toMatch(new RegExp(`^  ${name}\\b`, 'm'))
    for (const each of [0, 1, 10, 11, 12, 20, 21, 22, 23, 64, 69, 70, 74, 78, 130]) {
      expect(stdout).toMatch(new RegExp(`^  ${each} `, 'm'))
    }
  })

  it('of every command is on stdout, with 0, and names --json', async () => {
    const results = await Promise.all(commands.map((name) => runCli([name, '--help'])))
    for (const [i, { code, stdout, stderr }] of results.entries()) {
      expect({ command: commands[i], code, stderr }).toEqual({
        command: commands[i],
        code: 0,
        stderr: '',
      })
      expect(stdout).toContain(`Usage: longhaul ${commands[i] ?? ''}`)
      expect(stdout).toContain('--json')
    }
  })

  it('has the version', async () => {
    expect(await runCli(['--version'])).toEqual({ code: 0, stdout: `${version}\n`, stderr: '' })
  })
})

describe.concurrent('a wrong command line', () => {
  it.each([
    ['an unknown command', ['exprot'], 'exprot'],
    ['no command', [], 'Usage: longhaul'],
    ['an unknown option', ['export', '--from', 'x', '--form', 'y'], '--form'],
    ['an option without its value', ['export', '--from'], '--from'],
    ['no start of the range', ['export', '--content'], '--from'],
    ['no id', ['status'], 'id'],
    ['one argument too many', ['cancel', 'a', 'b'], 'argument'],
    ['a limit of 0', ['list', '--limit', '0'], '--limit'],
  ])('%s ends with 64, a message on stderr and nothing on stdout', async (_what, args, names) => {
    const { code, stdout, stderr } = await runCli(args, { env: nobody })
    expect([code, stdout]).toEqual([64, ''])
    expect(stderr).toContain(names)
  })

  it('is one JSON document on stdout with --json, like every other error', async () => {
    const [option, argument] = await Promise.all([
      runCli(['export', '--json', '--from', 'x', '--nope'], { env: nobody }),
      runCli(['status', '--json'], { env: nobody }),
    ])
    expect([option.code, argument.code]).toEqual([64, 64])
    expect(errorOf(option).message).toContain('--nope')
    expect(errorOf(argument).message).toContain('id')
  })
})

describe.concurrent('LONGHAUL_URL', () => {
  it('where nobody answers ends every client command with 69, naming it', async () => {
    const results = await Promise.all(
      [
        ['export', '--from', '2014-07-22T12:00:00Z'],
        ['status', 'x'],
        ['list'],
        ['download', 'x'],
        ['cancel', 'x', '--json'],
      ].map((args) => runCli(args, { env: nobody })),
    )
    for (const { code, stderr } of results) {
      expect(code).toBe(69)
      expect(stderr).toContain(nobody.LONGHAUL_URL)
      expect(stderr).toContain('LONGHAUL_URL')
    }
    expect(results.slice(0, 4).map(({ stdout }) => stdout)).toEqual(['', '', '', ''])
    expect(errorOf(results[4]!).code).toBe('SERVER_UNAVAILABLE')
  })

  it('where somebody else answers ends with 69', async () => {
    const { code, stderr } = await runCli(['list'], {
      env: { LONGHAUL_URL: `http://${stranger}` },
    })
    expect(code).toBe(69)
    expect(stderr).toContain(stranger)
    expect(stderr).toContain('LONGHAUL_URL')
  })

  it('that is no URL ends with 78', async () => {
    const env = { LONGHAUL_URL: 'localhost:8080' }
    const result = await runCli(['list', '--json'], { env })
    expect(result.code).toBe(78)
    expect(errorOf(result)).toMatchObject({ code: 'CONFIG_INVALID' })
    expect(result.stderr).toContain('LONGHAUL_URL')
  })

  it('is never shown with a password in it', async () => {
    const results = await Promise.all(
      [stranger, '127.0.0.1:1'].map((host) =>
        runCli(['list'], { env: { LONGHAUL_URL: `http://me:hush-hush@${host}` } }),
      ),
    )
    for (const { code, stderr } of results) {
      expect([69, 78]).toContain(code)
      expect(stderr).not.toContain('hush-hush')
    }
  })
})

describe.concurrent('a .env file in the working folder', () => {
  it('is read, under the environment', async ({ onTestFinished }) => {
    const cwd = await createFolder(onTestFinished)
    await writeFile(join(cwd, '.env'), '# a comment\nLONGHAUL_URL="http://127.0.0.1:2"\n')
    const [file, both] = await Promise.all([
      runCli(['list'], { cwd }),
      runCli(['list'], { cwd, env: nobody }),
    ])
    expect(file.stderr).toContain('http://127.0.0.1:2')
    expect(both.stderr).toContain(nobody.LONGHAUL_URL)
  })

  it('that cannot be read ends with 78', async ({ onTestFinished }) => {
    const cwd = await createFolder(onTestFinished)
    await mkdir(join(cwd, '.env'))
    const { code, stderr } = await runCli(['list'], { cwd, env: nobody })
    expect(code).toBe(78)
    expect(stderr).toContain('.env')
  })
})
