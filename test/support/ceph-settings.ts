import { randomUUID } from 'node:crypto'

export interface CephSettings {
  /** Where everything is kept. */
  readonly folder: string
  /** Of the monitor and of radosgw, on loopback; the object store finds some itself. */
  readonly monitorPort: number
  readonly port: number
}

/**
 * The configuration file of the smallest Ceph there is: one monitor, one object store in memory, one
 * radosgw; on loopback, nothing below the folders of the system.
 */
export function cephSettings({ folder, monitorPort, port }: CephSettings): string {
  const settings = {
    fsid: randomUUID(),
    'mon host': `v2:127.0.0.1:${monitorPort}`,
    'mon initial members': 'a',
    'mon data': `${folder}/mon`,
    'osd data': `${folder}/osd`,
    'rgw data': `${folder}/rgw`,
    'run dir': folder,
    keyring: `${folder}/keyring`,
    'admin socket': '',
    'pid file': '',
    'public addr': '127.0.0.1',
    'cluster addr': '127.0.0.1',
    'ms bind msgr1': false,

    // nobody else can reach it; without keys, encryption has to be switched off, too
    'auth cluster required': 'none',
    'auth service required': 'none',
    'auth client required': 'none',
    'ms mon client mode': 'crc',
    'ms mon cluster mode': 'crc',
    'ms mon service mode': 'crc',
    'ms cluster mode': 'crc',
    'ms service mode': 'crc',
    'ms client mode': 'crc',

    // one copy, in memory, and as little to be placed as can be
    'osd objectstore': 'memstore',
    'osd crush chooseleaf type': 0,
    'osd pool default size': 1,
    'osd pool default min size': 1,
    'osd pool default pg num': 1,
    'osd pool default pgp num': 1,
    'osd pool default pg autoscale mode': 'off',
    'mon allow pool size one': true,
    // removed objects would stay in memory for two hours
    'rgw gc obj min wait': 5,
    'rgw gc processor period': 5,

    // every pool that radosgw makes at its first start waits for these: with the defaults, 12 s in all
    'paxos propose interval': 0.05,
    'paxos min wait': 0.01,
    'mon tick interval': 1,
    'osd tick interval': 0.1,

    'log file': '',
    'mon cluster log to file': false,
    'log to stderr': true,
    'err to stderr': true,
    // lists hundreds of settings at every start
    'debug rocksdb': 0,

    'rgw frontends': `beast endpoint=127.0.0.1:${port}`,
  }
  const lines = Object.entries(settings).map(([name, value]) => `${name} = ${value}`)
  const monitor = ['[mon]', `public addrv = v2:127.0.0.1:${monitorPort}`]
  return ['[global]', ...lines, ...monitor, ''].join('\n')
}
