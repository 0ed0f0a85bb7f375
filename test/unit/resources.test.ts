import { describe, expect, it } from 'vitest'
import { createResources } from '../../src/runtime/resources.ts'
import { deferred } from '../support/deferred.ts'

describe('resources', () => {
  it('are released last in, first out, each after the one before has ended', async () => {
    const resources = createResources()
    const events: string[] = []
    for (const name of ['a', 'b', 'c']) {
      resources.add(name, async (resource) => {
        events.push(`begin ${resource}`)
        await Promise.resolve()
        events.push(`end ${resource}`)
      })
    }
    await resources.release()
    expect(events).toEqual(['begin c', 'end c', 'begin b', 'end b', 'begin a', 'end a'])
  })

  it('are released once, however often and however early it is asked again', async () => {
    const resources = createResources()
    const gate = deferred()
    let releases = 0
    resources.add('a', async () => {
      releases++
      await gate.promise
    })
    const [first, second] = [resources.release(), resources.release()]
    gate.resolve()
    await Promise.all([first, second, resources.release()])
    expect(releases).toBe(1)
  })

  it('are released when the second who asks is told so, too', async () => {
    const resources = createResources()
    const gate = deferred()
    resources.add('a', () => gate.promise)
    void resources.release()
    let told = false
    const second = resources.release().then(() => (told = true))
    await new Promise((resolve) => setImmediate(resolve))
    expect(told).toBe(false)
    gate.resolve()
    await second
  })

  it('are all released even if some fail, and the first failure is thrown', async () => {
    const resources = createResources()
    const released: string[] = []
    const fail = (name: string) => (): never => {
      released.push(name)
      throw new TypeError(name)
    }
    resources.add('a', () => void released.push('a'))
    resources.add('b', fail('b'))
    resources.add('c', () => Promise.resolve().then(fail('c')))
    resources.add('d', () => void released.push('d'))
    await expect(resources.release()).rejects.toThrow('c')
    expect(released).toEqual(['d', 'c', 'b', 'a'])
  })

  it('are handed back as they are added', () => {
    const resource = {}
    expect(createResources().add(resource, () => undefined)).toBe(resource)
  })
})
