import { once } from 'node:events'
import net from 'node:net'
import { Redis } from 'ioredis'
import { describe, expect, it, onTestFinished } from 'vitest'
import { lastingPort } from '../../support/lasting-port.ts'
import { startRedis } from '../../support/redis-server.ts'
import { inspectRedis } from '../../../src/queue/inspect-redis.ts'
import { until } from '../../support/until.ts'
import { newId } from '../queue/setup.ts'
import { expectWorks, open, redisWith, useQueue } from './setup.ts'

async function ask(port: number, ...command: [string, ...(string | number)[]]): Promise<unknown> {
  const client = new Redis({ port, lazyConnect: true })
  try {
    await client.connect()
    return await client.call(...command)
  } finally {
    client.disconnect()
  }
}

describe('Redis that Sentinels watch', () => {
  async function setup() {
    const masterPort = await lastingPort()
    const master = await startRedis(masterPort)
    onTestFinished(() => master.stop())
    const replica = await redisWith('--replicaof', '127.0.0.1', String(masterPort))
    await until(async () => String(await ask(replica, 'INFO')).includes('master_link_status:up'))
    const sentinelPort = await lastingPort()
    const sentinel = await startRedis(sentinelPort, ['--sentinel'], {
      'redis.conf': `
        sentinel monitor queue 127.0.0.1 ${masterPort} 1
        sentinel down-after-milliseconds queue 1000
        sentinel failover-timeout queue 5000
      `,
    })
    onTestFinished(() => sentinel.stop())
    // it must know the replica before it can promote it
    await until(async () =>
      String(await ask(sentinelPort, 'SENTINEL', 'REPLICAS', 'queue')).includes(String(replica)),
    )
    const hosts = [
      // one that is away is passed over
      { host: '127.0.0.1', port: await lastingPort() },
      { host: '127.0.0.1', port: sentinelPort },
    ]
    // what the URL names is not asked
    return {
      master,
      opening: open({ url: 'redis://nowhere', sentinel: { hosts, master: 'queue' } }),
    }
  }

  it('is found by its name', async () => {
    const { opening } = await setup()
    await expectWorks(opening)
  })

  it('goes on after a failover', { timeout: 90_000 }, async () => {
    const { master, opening } = await setup()
    const { producer, ran } = await useQueue(opening)
    await producer.enqueue({ id: newId(), dispatch: 1 })
    await until(() => ran.length === 1)
    process.kill(master.pid, 'SIGKILL')
    const id = newId()
    // a producer fails at once as long as there is no master: its caller comes again
    await until(
      () =>
        producer.enqueue({ id, dispatch: 1 }).then(
          () => true,
          () => false,
        ),
      { timeoutMs: 60_000 },
    )
    await until(() => ran.includes(id), { timeoutMs: 30_000 })
  })
})

describe('Redis behind a name that is given to another server', () => {
  it('is looked up again when the old one has become a replica', async () => {
    const [old, next] = [await redisWith(), await redisWith()]
    const forward = await createForward(old)
    const { producer, ran } = await useQueue(open({ url: `redis://127.0.0.1:${forward.port}` }))
    await producer.enqueue({ id: newId(), dispatch: 1 })
    await until(() => ran.length === 1)
    forward.to = next
    await ask(old, 'REPLICAOF', '127.0.0.1', next)
    const id = newId()
    await until(() =>
      producer.enqueue({ id, dispatch: 1 }).then(
        () => true,
        () => false,
      ),
    )
    await until(() => ran.includes(id))
  })
})

/** Relays new connections to whatever port `to` is then, as a name that changes its meaning does. */
async function createForward(to: number): Promise<{ to: number; readonly port: number }> {
  const sockets = new Set<net.Socket>()
  const forward = { to, port: 0 }
  const server = net.createServer((near) => {
    const far = net.connect(forward.to, '127.0.0.1')
    for (const [socket, other] of [
      [near, far],
      [far, near],
    ] as const) {
      sockets.add(socket)
      socket.on('error', () => undefined).on('close', () => other.destroy())
      socket.pipe(other)
    }
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  onTestFinished(() => {
    server.close()
    for (const socket of sockets) socket.destroy()
  })
  forward.port = (server.address() as net.AddressInfo).port
  return forward
}

describe('a cluster of Redis', () => {
  it('is one queue, of which one server is named', async () => {
    const slots = [
      [0, 8191],
      [8192, 16_383],
    ] as const
    const ports: number[] = []
    const busPorts: number[] = []
    for (const [from, to] of slots) {
      // of the cluster's own talk; by default 10,000 above the other, where an outgoing connection may be
      const [port, busPort] = [await lastingPort(), await lastingPort()]
      const options = [
        ...['--cluster-enabled', 'yes', '--cluster-config-file', `nodes-${port}.conf`],
        ...['--cluster-port', String(busPort)],
      ]
      const server = await startRedis(port, options)
      onTestFinished(() => server.stop())
      await ask(port, 'CLUSTER', 'ADDSLOTSRANGE', from, to)
      ports.push(port)
      busPorts.push(busPort)
    }
    await ask(ports[0]!, 'CLUSTER', 'MEET', '127.0.0.1', ports[1]!, busPorts[1]!)
    for (const port of ports) {
      await until(async () => {
        const info = String(await ask(port, 'CLUSTER', 'INFO'))
        return info.includes('cluster_state:ok') && info.includes('cluster_known_nodes:2')
      })
    }
    // wherever the keys of this prefix are
    for (const prefix of ['one', 'two', 'three', 'four']) {
      await expectWorks(open({ url: `redis://127.0.0.1:${ports[0]}`, cluster: true, prefix }))
    }
    const sizes = await Promise.all(ports.map((port) => ask(port, 'DBSIZE')))
    expect(sizes).not.toContain(0)
    // a doctor asks each of them
    const redis = inspectRedis({
      ...{ url: `redis://127.0.0.1:${ports[0]}`, cluster: true, prefix: 'doctor' },
    })
    const nodes = await redis.nodes({ signal: new AbortController().signal })
    expect(nodes.map(({ place }) => place).sort()).toEqual(
      ports.map((port) => `127.0.0.1:${port}`).sort(),
    )
    expect(nodes).toMatchObject(ports.map(() => ({ clustered: true, policy: 'noeviction' })))
  })
})
