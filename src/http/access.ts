import { createHash, timingSafeEqual } from 'node:crypto'
import type { FastifyInstance } from 'fastify'
import type { ApiKey, ApiKeyRole } from '../config/api-keys.ts'
import { AccessError } from '../errors.ts'

/** Who asks. Without keys that is anybody on this machine, who has no name and may do everything. */
export interface Caller {
  readonly name?: string
  readonly role: ApiKeyRole
}

/**
 * What a route is about. `nothing`: whoever asks is answered. `request`: to have something exported, or to change
 * an export. `look`: to see exports. `look at archives`: to see those, which hold everybody's. `measure`: to see
 * what is measured.
 */
export type Permission = 'nothing' | 'request' | 'look' | 'look at archives' | 'measure'

declare module 'fastify' {
  interface FastifyRequest {
    caller: Caller
  }
  interface FastifyContextConfig {
    permission?: Permission
  }
}

const allowed: Readonly<Record<ApiKeyRole, readonly Permission[]>> = {
  export: ['request', 'look'],
  read: ['look', 'look at archives', 'measure'],
  admin: ['request', 'look', 'look at archives', 'measure'],
}

const anybody: Caller = { role: 'admin' }

/**
 * Lets a request reach its route only when its key may, before its body is read. Every route that is
 * added from here on must say what it is about, in `config.permission`.
 */
export function guardRoutes(app: FastifyInstance, keys: readonly ApiKey[]): void {
  const digested = keys.map((key) => ({ ...key, digest: Buffer.from(key.sha256, 'hex') }))
  app.decorateRequest('caller')
  app.addHook('onRoute', ({ url, config }) => {
    if (config?.permission === undefined) throw new TypeError(`${url} does not say who may ask`)
  })
  app.addHook('onRequest', (request, _reply, done) => {
    const { permission } = request.routeOptions.config
    if (permission === undefined || permission === 'nothing') {
      done()
      return
    }
    const caller = keys.length === 0 ? anybody : findCaller(digested, request.headers.authorization)
    request.caller = caller
    if (allowed[caller.role].includes(permission)) done()
    else done(forbidden(caller, permission))
  })
}

/** @throws AccessError */
function findCaller(
  keys: readonly (ApiKey & { readonly digest: Buffer })[],
  header: string | undefined,
): Caller {
  if (header === undefined) throw unauthenticated('This needs an API key, and there is none.')
  const presented = createHash('sha256')
    .update(presentedKey(header) ?? '')
    .digest()
  // every key is compared, so that the time tells nothing of which was right or how far
  const found = keys.filter(({ digest }) => timingSafeEqual(digest, presented))
  const [key] = found
  if (key === undefined)
    throw unauthenticated('The API key is not one of those that this server knows.')
  return { name: key.name, role: key.role }
}

/** As a bearer token; or, as clients of the original operation send it, as the password of any user. */
function presentedKey(header: string): string | undefined {
  const [, scheme = '', value = ''] = /^(bearer|basic) +([\x21-\x7e]+) *$/i.exec(header) ?? []
  if (scheme.toLowerCase() === 'bearer') return value
  const text = Buffer.from(value, 'base64').toString()
  const colon = text.indexOf(':')
  return colon === -1 ? undefined : text.slice(colon + 1)
}

const unauthenticated = (message: string) =>
  new AccessError('UNAUTHENTICATED', message, {
    hint: 'Send "Authorization: Bearer KEY"; `longhaul keys create` makes one, the variable LONGHAUL_API_KEY has the command line send it.',
  })

const subjects: Readonly<Record<Permission, string>> = {
  nothing: '',
  request: 'request or change exports',
  look: 'see exports',
  'look at archives': 'see archives',
  measure: 'see what is measured',
}

const forbidden = ({ name = '', role }: Caller, permission: Permission) => {
  const roles = Object.entries(allowed).flatMap(([each, may]) =>
    may.includes(permission) ? [each] : [],
  )
  return new AccessError(
    'FORBIDDEN',
    `The API key ${name} has the role ${role}, which may not ${subjects[permission]}.`,
    { hint: `Use a key with the role ${roles.join(' or ')}.` },
  )
}
