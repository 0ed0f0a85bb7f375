import { randomUUID } from 'node:crypto'
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { createClient, type Client } from '../../src/client/client.ts'
import { ClientError } from '../../src/errors.ts'
import type { Dice } from '../support/dice.ts'
import type { Findings } from './findings.ts'
import { createRequests, type KnownRequest } from './requests.ts'

/** An export as its customer knows it. */
export interface Order {
  readonly key: string
  readonly request: KnownRequest
  /** What the server acknowledged: one, however often it was asked. */
  readonly ids: Set<string>
  /** What each cancel was answered. */
  readonly cancels: ('canceled' | 'finished')[]
  /** SHA-256 of what was downloaded meanwhile; or the code of why it was not. */
  download?: { readonly sha256: string } | { readonly code: string }
}

export interface Customers {
  readonly orders: readonly Order[]
  /** Requests one more export; whatever becomes of it goes on by itself. */
  order(): void
  /** Resolves when everybody has an answer. */
  served(): Promise<void>
}

export interface CustomersOptions {
  readonly url: string
  /** For downloads, removed at once. */
  readonly folder: string
  readonly dice: Dice
  readonly findings: Findings
  /** Sends everybody home. */
  readonly signal: AbortSignal
}

/** Between two tries where no server answers, ms. */
const retryMs = 300

/** They request, cancel and download over HTTP, and ask again when there is no answer. */
export function createCustomers(options: CustomersOptions): Customers {
  const { dice, findings, signal } = options
  const client = createClient({ url: options.url })
  const nextRequest = createRequests(dice)
  const orders: Order[] = []
  const served: Promise<void>[] = []

  async function serve(order: Order, own: Dice): Promise<void> {
    const { key, request, ids } = order
    // one that asks twice at once, as after a time-out of its own
    const asked = Array.from({ length: own.percent(20) ? 2 : 1 }, () =>
      persist(() => client.request(request.body, { idempotencyKey: key }), signal),
    )
    for (const { id } of await Promise.all(asked)) ids.add(id)
    const [id = ''] = ids
    if (own.percent(12)) await cancel(client, id, order, own, signal)
    else if (own.percent(15)) await download(client, id, order, options)
  }

  return {
    orders,
    order() {
      const order: Order = {
        key: `torture-${randomUUID()}`,
        request: nextRequest(),
        ids: new Set(),
        cancels: [],
      }
      orders.push(order)
      const serving = serve(order, dice.fork()).catch((error: unknown) => {
        if (!signal.aborted) findings.add('customer', String(error), [...order.ids][0])
      })
      served.push(serving)
    },
    async served() {
      await Promise.all(served)
    },
  }
}

/** At a random moment, sometimes by two at once. */
async function cancel(
  client: Client,
  id: string,
  { cancels }: Order,
  dice: Dice,
  signal: AbortSignal,
): Promise<void> {
  await sleep(dice.between(0, 6000), undefined, { signal })
  const one = async () => {
    try {
      const { state } = await persist(() => client.cancel(id), signal)
      if (state !== 'canceled') throw new TypeError(`a cancel was answered with state ${state}`)
      cancels.push('canceled')
    } catch (error) {
      if (!(error instanceof ClientError && error.code === 'EXPORT_FINISHED')) throw error
      cancels.push('finished')
    }
  }
  await Promise.all(Array.from({ length: dice.percent(40) ? 2 : 1 }, one))
}

/** As soon as it is completed, whatever breaks meanwhile: the client gives up in the end, and may. */
async function download(
  client: Client,
  id: string,
  order: Order,
  { folder, signal }: CustomersOptions,
): Promise<void> {
  const { state } = await persist(() => client.wait(id, { signal }), signal)
  if (state !== 'completed') return
  const file = join(folder, `${id}.json`)
  try {
    const { sha256 } = await client.download(id, { file, signal, silenceMs: 5000 })
    order.download = { sha256 }
  } catch (error) {
    if (!(error instanceof ClientError) || error.code === 'DOWNLOAD_CORRUPT') throw error
    order.download = { code: error.code }
  } finally {
    await rm(file, { force: true })
  }
}

/** Asks until there is an answer. @throws ClientError for an answer that asking again would not change */
async function persist<T>(ask: () => Promise<T>, signal: AbortSignal): Promise<T> {
  for (;;) {
    signal.throwIfAborted()
    try {
      return await ask()
    } catch (error) {
      if (!(error instanceof ClientError) || !error.retryable) throw error
      await sleep(retryMs, undefined, { signal })
    }
  }
}
