import { setTimeout as sleep } from 'node:timers/promises'
import type { AlarmMessage } from '../archive/ports.ts'
import { AlertError } from '../errors.ts'
import { abortAfter, untilAborted } from '../runtime/abort.ts'
import { postOnce, type Answer } from './post-once.ts'
import { publicLookup, type Resolve } from './public-lookup.ts'
import { signatureHeaders } from './sign.ts'
import { unreachedBy } from './unreached-by.ts'

export interface WebhookTarget {
  readonly url: string
  readonly key: Buffer
  readonly allowPrivate: boolean
}

export interface WebhookPace {
  /** One try may take so long, ms. */
  readonly tryMs: number
  /** Before the second try, ms; twice as long before each further one, up to the longest. Up to half of it is left to chance. */
  readonly pauseMs: number
  readonly longestPauseMs: number
  /** No try begins later than that after the first, ms. */
  readonly limitMs: number
}

/** Ten minutes of an hour. */
const usualPace: WebhookPace = {
  tryMs: 10_000,
  pauseMs: 2_000,
  longestPauseMs: 120_000,
  limitMs: 600_000,
}

export interface SendOptions {
  readonly signal: AbortSignal
  readonly pace?: WebhookPace
  /** Default: as the system resolves names. */
  readonly resolve?: Resolve
}

/**
 * Sends one message, again and again until it is taken (any 2xx), refused for good, or time is over.
 * @throws AlertError, which shows nothing of the URL but its origin; the signal's reason
 */
export async function sendWebhook(
  { url: text, key, allowPrivate }: WebhookTarget,
  { id, ...content }: AlarmMessage,
  { signal, pace = usualPace, resolve }: SendOptions,
): Promise<void> {
  const url = new URL(text)
  const body = JSON.stringify(content)
  const lookup = allowPrivate ? undefined : publicLookup(resolve)
  const beganMs = performance.now()
  for (let tries = 1; ; tries++) {
    const headers = signatureHeaders(key, { id, seconds: Math.floor(Date.now() / 1000), body })
    const limit = abortAfter(pace.tryMs, signal)
    const outcome = await postOnce({ url, headers, body, lookup }, { signal: limit }).catch(
      (error: unknown) => unreachedBy(error),
    )
    signal.throwIfAborted()
    if ('status' in outcome && outcome.status >= 200 && outcome.status < 300) return
    const pauseMs = Math.min(
      pace.longestPauseMs,
      Math.max(
        ('status' in outcome ? outcome.retryAfterMs : undefined) ?? 0,
        pace.pauseMs * 2 ** (tries - 1) * (0.5 + Math.random() / 2),
      ),
    )
    const isOver = performance.now() - beganMs + pauseMs > pace.limitMs
    if (isOver || !mayPass(outcome)) throw notDelivered(url, outcome, tries)
    await untilAborted(sleep(pauseMs, undefined, { ref: false }), signal)
  }
}

type Outcome = Answer | ReturnType<typeof unreachedBy>

/** Whether another try may be taken: after an error on the way, or of the receiver, or when it asks for patience. */
const mayPass = (outcome: Outcome) =>
  'status' in outcome
    ? outcome.status >= 500 || outcome.status === 408 || outcome.status === 429
    : !outcome.isPrivate

function notDelivered({ origin }: URL, outcome: Outcome, tries: number): AlertError {
  const count = tries === 1 ? '1 try' : `${tries} tries`
  const what = 'status' in outcome ? `it answered ${outcome.status}` : outcome.reason
  return new AlertError(`The alert webhook at ${origin} was not reached in ${count}: ${what}.`, {
    retryable: mayPass(outcome),
    hint: adviceOn(outcome),
  })
}

function adviceOn(outcome: Outcome): string {
  if (!('status' in outcome)) {
    return outcome.isPrivate
      ? 'Set ALERT_WEBHOOK_ALLOW_PRIVATE=true where the receiver is meant to be in a private network.'
      : 'See that workers can reach it; the next hour tries again.'
  }
  return outcome.status >= 300 && outcome.status < 400
    ? 'Redirects are not followed: set ALERT_WEBHOOK_URL to where it leads.'
    : 'See what the receiver says of it; the next hour tries again.'
}
