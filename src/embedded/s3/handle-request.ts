import { randomBytes } from 'node:crypto'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { pipeline } from 'node:stream/promises'
import { authenticate, type Account } from './authenticate.ts'
import { instanceHeader } from './claim.ts'
import type { OperationDeps } from './operation.ts'
import { operationFor } from './route.ts'
import { S3Error } from './s3-error.ts'
import { createS3Request, parseTarget, type Reply } from './s3-request.ts'
import { errorDocument } from './xml.ts'
import { MiB } from '../../runtime/units.ts'

export interface HandlerDeps extends OperationDeps {
  readonly account: Account
  /** The name of this run of the server. */
  readonly instance: string
  /** Told of what is no answer of the protocol: a fault of this server or of its disk. */
  readonly report: (error: unknown) => void
}

const maxSkippedBytes = 64 * MiB

/** Answers one request. Does not throw. */
export async function handleRequest(
  deps: HandlerDeps,
  incoming: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const id = randomBytes(8).toString('hex').toUpperCase()
  response.setHeader('x-amz-request-id', id)
  response.setHeader(instanceHeader, deps.instance)
  const invitation = invitationTo(incoming, response)
  try {
    const reply = await answer(deps, { id, incoming, proceed: invitation.send })
    const closing = endsConnection(incoming, invitation) ? { connection: 'close' } : {}
    await send(incoming, response, { ...reply, headers: { ...reply.headers, ...closing } })
  } catch (error) {
    // the client has left, or its answer broke off after the head: no other answer can follow
    if (!isDisconnect(error)) deps.report(error)
    response.destroy()
  }
}

async function answer(
  deps: HandlerDeps,
  context: { id: string; incoming: IncomingMessage; proceed: () => void },
): Promise<Reply> {
  const { id, incoming } = context
  try {
    const target = parseTarget(incoming)
    const authentication = authenticate(target, deps.account, new Date())
    const request = createS3Request(target, { ...context, authentication })
    return await operationFor(target)(deps, request)
  } catch (error) {
    if (incoming.errored !== null) throw error
    if (!(error instanceof S3Error)) deps.report(error)
    return errorReply(protocolError(error), { id, incoming })
  }
}

function protocolError(error: unknown): S3Error {
  if (error instanceof S3Error) return error
  const full = codeOf(error) === 'ENOSPC' || codeOf(error) === 'EDQUOT'
  return new S3Error(full ? 'InsufficientStorage' : 'InternalError')
}

function errorReply(
  error: S3Error,
  { id, incoming }: { id: string; incoming: IncomingMessage },
): Reply {
  const { code, message, status, elements } = error
  if (status === 304) return { status, headers: error.headers }
  const Resource = (incoming.url ?? '').replace(/\?.*$/s, '')
  return {
    status,
    headers: error.headers,
    body: errorDocument({ Code: code, Message: message, ...elements, Resource, RequestId: id }),
  }
}

async function send(
  incoming: IncomingMessage,
  response: ServerResponse,
  { status, headers = {}, body }: Reply,
): Promise<void> {
  if (typeof body === 'object') {
    response.writeHead(status, headers)
    await pipeline(body, response)
    return
  }
  const type = body === undefined ? {} : { 'content-type': 'application/xml' }
  const empty = status === 204 || status === 304 || 'content-length' in headers
  const length = empty ? {} : { 'content-length': Buffer.byteLength(body ?? '') }
  response.writeHead(status, { ...length, ...type, ...headers })
  response.end(incoming.method === 'HEAD' ? undefined : body)
}

/** What a client waits for that sent `Expect: 100-continue`. */
interface Invitation {
  /** Asks for the body; does nothing if the client does not wait. */
  readonly send: () => void
  readonly isPending: () => boolean
}

function invitationTo(incoming: IncomingMessage, response: ServerResponse): Invitation {
  let pending = incoming.headers.expect?.toLowerCase() === '100-continue'
  return {
    send() {
      if (pending) response.writeContinue()
      pending = false
    },
    isPending: () => pending,
  }
}

/** A body that nobody read has to be skipped before the next request; a long one is not worth it. */
function endsConnection(incoming: IncomingMessage, invitation: Invitation): boolean {
  if (incoming.complete) return false
  const { 'content-length': length, 'transfer-encoding': encoding } = incoming.headers
  const bytes = encoding === undefined ? Number(length ?? 0) : Infinity
  return invitation.isPending() || bytes > maxSkippedBytes
}

function isDisconnect(error: unknown): boolean {
  const codes = ['ECONNRESET', 'EPIPE', 'ERR_STREAM_PREMATURE_CLOSE', 'ERR_STREAM_DESTROYED']
  return codes.includes(codeOf(error) ?? '')
}

function codeOf(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'string'
    ? error.code
    : undefined
}
