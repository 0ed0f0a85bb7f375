import { describe, expect, it } from 'vitest'
import { parse } from 'yaml'
import { parseConfig } from '../../../src/config.ts'
import { variableNames } from '../../../src/config/variables.ts'
import { lastOf, pairs, readDockerfile } from '../../support/dockerfile.ts'
import {
  kubernetesProblems,
  readKubernetesObjects,
  type KubernetesObject,
} from '../../support/kubernetes-objects.ts'
import { readProjectFile } from '../../support/project-file.ts'

/** What is looked at below; that the rest is right, the types say. */
interface Workload {
  readonly spec: {
    readonly template: {
      readonly spec: {
        readonly terminationGracePeriodSeconds?: number
        readonly containers: readonly {
          readonly name: string
          readonly args: readonly string[]
          readonly ports?: readonly { readonly containerPort: number }[]
          readonly livenessProbe?: { readonly httpGet: { readonly path: string } }
          readonly readinessProbe?: { readonly httpGet: { readonly path: string } }
        }[]
      }
    }
  }
}

const objects = readKubernetesObjects()
const named = objects.map((each) => [`${each.kind} ${each.metadata.name}`, each] as const)
const workloads = named.filter(([, { kind }]) => kind === 'Deployment' || kind === 'Job')
const podOf = (object: KubernetesObject) => (object as unknown as Workload).spec.template.spec
const find = (kind: string) => objects.filter((each) => each.kind === kind)
const dataOf = (kind: string, field: string) =>
  (find(kind)[0] as unknown as Record<string, Record<string, string>>)[field] ?? {}

const configuration = dataOf('ConfigMap', 'data')
const secrets = dataOf('Secret', 'stringData')
const config = parseConfig({
  ...pairs(lastOf(readDockerfile(), 'ENV')),
  ...configuration,
  DATABASE_URL: 'postgres://db/longhaul',
  API_KEYS: `a:admin:${'ab'.repeat(32)}`,
})

describe('deploy/kubernetes', () => {
  it.each(named)('%s is as the API of Kubernetes has it', { timeout: 60_000 }, (_name, object) => {
    expect(kubernetesProblems(object)).toEqual([])
  })

  it('would not pass with a field that is misspelt or of another type', { timeout: 60_000 }, () => {
    const [service] = find('Service')
    const misspelt = { ...service!, spec: { selectors: {} } } as KubernetesObject
    expect(kubernetesProblems(misspelt).join()).toContain('selectors')
    const wrong = { ...service!, metadata: { name: 7 } } as unknown as KubernetesObject
    expect(kubernetesProblems(wrong).join()).toContain("'number' is not assignable")
  })

  it('has what a cluster needs besides', () => {
    expect(objects.map(({ kind }) => kind).sort()).toEqual(
      [
        ...['ConfigMap', 'Deployment', 'Deployment', 'HorizontalPodAutoscaler', 'Job'],
        ...['PodDisruptionBudget', 'PodDisruptionBudget', 'Secret', 'Service', 'ServiceAccount'],
      ].sort(),
    )
  })

  it('sets variables that Longhaul knows, and no secret', () => {
    const foreign = /^AWS_(ACCESS_KEY_ID|SECRET_ACCESS_KEY)$/
    for (const name of [...Object.keys(configuration), ...Object.keys(secrets)]) {
      if (!foreign.test(name)) expect(variableNames).toContain(name)
    }
    expect(Object.keys(configuration).join()).not.toMatch(/SECRET|KEYS|URL|PASSWORD/)
    expect([...new Set(Object.values(secrets))]).toEqual([''])
  })

  it('shows how to archive, in lines that only have to be taken in', () => {
    const lines = readProjectFile('deploy/kubernetes/config.yaml').matchAll(/^  # ([A-Z_]+: .*)$/gm)
    const told = parse([...lines].map(([, line]) => line).join('\n')) as Record<string, string>
    expect(Object.values(told).filter((value) => typeof value !== 'string')).toEqual([])
    const least = { DATABASE_URL: 'postgres://db/longhaul' }
    const { archive } = parseConfig({ ...configuration, ...least, ...told })
    expect(archive).toMatchObject({ timeZone: 'Europe/Berlin', start: '2026-01-01' })
    expect(archive.pattern).toBe('0 * * * *')
  })

  it.each(workloads)(
    '%s runs a command of Longhaul without rights that it does not need',
    (_name, object) => {
      const pod = podOf(object)
      expect(pod).toMatchObject({ securityContext: { runAsNonRoot: true } })
      for (const container of pod.containers) {
        expect(['serve', 'worker', 'migrate']).toContain(container.args[0])
        expect(container).toMatchObject({
          securityContext: {
            ...{ allowPrivilegeEscalation: false, readOnlyRootFilesystem: true },
            capabilities: { drop: ['ALL'] },
          },
        })
      }
    },
  )

  it.each(find('Deployment').map((each) => [each.metadata.name, each] as const))(
    '%s is looked at where it answers, and has the time to stop',
    (name, object) => {
      const { containers, terminationGracePeriodSeconds } = podOf(object)
      const port = name === 'longhaul-server' ? config.port : config.workerPort
      expect(containers[0]!.ports).toMatchObject([{ containerPort: port }])
      expect(containers[0]!.livenessProbe!.httpGet.path).toBe('/healthz')
      expect(containers[0]!.readinessProbe!.httpGet.path).toBe('/readyz')
      expect(terminationGracePeriodSeconds).toBeGreaterThanOrEqual(
        config.shutdownGraceSeconds + 15 + 5,
      )
    },
  )
})
