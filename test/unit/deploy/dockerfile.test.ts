import { describe, expect, it } from 'vitest'
import { execForm, lastOf, pairs, readDockerfile } from '../../support/dockerfile.ts'
import { readComposeFile, composeVariables } from '../../support/compose-file.ts'
import { readProjectFile } from '../../support/project-file.ts'

const stages = readDockerfile()
const version = (JSON.parse(readProjectFile('package.json')) as { version: string }).version

describe('the Dockerfile', () => {
  it('begins with Node 24 on Debian, without what it does not need', () => {
    const names = stages.map(({ name }) => name)
    const bases = stages.filter(({ from }) => !names.includes(from))
    for (const { from } of bases) expect(from).toBe('node:24-bookworm-slim')
  })

  it('is not root, by numbers, and has no shell between', () => {
    expect(lastOf(stages, 'USER')).toMatch(/^[1-9]\d*:[1-9]\d*$/)
    expect(execForm(lastOf(stages, 'ENTRYPOINT'))).toEqual(['node', '/app/dist/src/cli/main.js'])
    expect(execForm(lastOf(stages, 'CMD'))).toEqual(['serve'])
  })

  it('tells the version that it is', () => {
    expect(pairs(lastOf(stages, 'LABEL'))).toMatchObject({
      'org.opencontainers.image.version': version,
    })
    const secrets = Object.fromEntries(composeVariables.map((name) => [name, 'x']))
    const images = Object.values(readComposeFile(secrets).services).map(({ image }) => image)
    expect(images).toContain(`longhaul:${version}`)
  })

  it('is given what it copies, and nothing else', () => {
    const copied = stages.flatMap(({ steps }) =>
      steps
        .filter(({ instruction, text }) => instruction === 'COPY' && !text.startsWith('--from'))
        .flatMap(({ text }) => text.split(' ').slice(0, -1)),
    )
    const rules = readProjectFile('.dockerignore')
      .split('\n')
      .filter((line) => line !== '' && !line.startsWith('#'))
    expect(rules[0]).toBe('*')
    expect(rules.slice(1).sort()).toEqual(copied.map((path) => `!${path}`).sort())
  })
})
