import { execFile } from 'node:child_process'
import { chmod, mkdir, readFile, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { parseEnv, promisify } from 'node:util'
import { describe, expect, it, onTestFinished } from 'vitest'
import { parse } from 'yaml'
import { parseConfig } from '../../src/config.ts'
import { readComposeFile } from '../support/compose-file.ts'
import { describeWith } from '../support/describe-with.ts'
import { lastOf, pairs, readDockerfile } from '../support/dockerfile.ts'
import { findProgram } from '../support/find-program.ts'
import { projectFolder, readProjectFile } from '../support/project-file.ts'
import { createFolder, runCli } from '../support/run-cli.ts'

const run = promisify(execFile)

/** Carries out what needs no container, and writes down what it was asked for. */
const docker = `#!/bin/sh
echo "$*" >>"$DOCKER_CALLS"
case "$1 $2 $3" in
  'run --rm longhaul:0.1.0') shift 3; exec "${process.execPath}" "${projectFolder}/dist/src/cli/main.js" "$@" ;;
  'build --tag longhaul:0.1.0' | 'compose up --detach' | 'compose run --rm') ;;
  *) exit 64 ;;
esac
`

const setUp = () =>
  [...readProjectFile('README.md').matchAll(/^\`\`\`sh\n(.*?)^\`\`\`$/gms)]
    .map(([, block = '']) => block)
    .find((block) => block.includes('docker build'))!

const missing = findProgram('openssl') === undefined ? 'there is no openssl' : undefined
describeWith('openssl', missing, 'the way to containers, as the README prints it', () => {
  it('makes what the compose file wants, and keys that server and workers know', async () => {
    const folder = await createFolder(onTestFinished)
    await mkdir(join(folder, 'deploy'))
    await writeFile(join(folder, 'docker'), docker)
    await chmod(join(folder, 'docker'), 0o755)
    const tell = 'printf "%s %s" "$LONGHAUL_API_KEY" "$DASHBOARD_KEY"'
    const { stdout, stderr } = await run('sh', ['-euc', `${setUp()}\n${tell}`], {
      cwd: folder,
      env: {
        PATH: `${folder}:${process.env['PATH'] ?? ''}`,
        DOCKER_CALLS: join(folder, 'calls'),
      },
    })
    expect(stderr).toBe('')
    const [adminKey = '', dashboardKey = ''] = stdout.split(' ')
    expect([adminKey, dashboardKey]).toEqual(Array(2).fill(expect.stringMatching(/^lh_[\w-]{43}$/)))
    expect(await readFile(join(folder, 'deploy/dashboard.key'), 'utf8')).toBe(`${dashboardKey}\n`)
    for (const secret of ['.env', 'team-a.json', 'dashboard.json', 'deploy/dashboard.key']) {
      expect((await stat(join(folder, secret))).mode & 0o077).toBe(0)
    }

    const text = await readFile(join(folder, '.env'), 'utf8')
    const { services } = readComposeFile(parseEnv(text) as Record<string, string>)
    const { apiKeys } = parseConfig({
      ...pairs(lastOf(readDockerfile(), 'ENV')),
      ...services['server']!.environment,
    })
    expect(apiKeys.map(({ name, role }) => [name, role])).toEqual([
      ['team-a', 'admin'],
      ['dashboard', 'read'],
    ])
    const calls = await readFile(join(folder, 'calls'), 'utf8')
    const started = [...calls.matchAll(/compose run --rm (\S+)/g)].map(([, service]) => service)
    expect(started).toEqual(['seed'])
    expect(Object.keys(services)).toContain('seed')
    expect(calls.split('\n').slice(-3)).toEqual([
      'compose up --detach --wait',
      'compose run --rm seed',
      '',
    ])

    // the same file is read by a Longhaul that is run here without containers
    const listed = await runCli(['list'], {
      cwd: folder,
      env: { LONGHAUL_URL: 'http://127.0.0.1:1' },
    })
    expect(listed.code).toBe(69)
  })
})

describe('deploy/prometheus.yml', () => {
  it('scrapes what the compose file publishes', () => {
    const { scrape_configs } = parse(readProjectFile('deploy/prometheus.yml')) as {
      scrape_configs: { static_configs: { targets: string[]; labels: { service: string } }[] }[]
    }
    const text = readProjectFile('docker-compose.yml')
    for (const { targets, labels } of scrape_configs[0]!.static_configs) {
      const port = targets.map((target) => target.split(':')[1]).join('-')
      expect(text).toContain(
        `ports: ['127.0.0.1:${port}:${labels.service === 'server' ? 8080 : 8081}']`,
      )
    }
  })
})
