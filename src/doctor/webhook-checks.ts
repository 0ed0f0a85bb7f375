import { archivePart } from './archive-checks.ts'
import { ok, problem, warning, type Verdict } from './finding.ts'
import type { UnreachedReceiver, WebhookInspection } from './ports.ts'
import type { Check } from './run-checks.ts'

/** Whoever is called in an alarm of the archives. */
export const webhookChecks = (
  webhook: WebhookInspection,
  use: { readonly isScheduled: boolean },
): readonly Check[] => [
  {
    ...{ part: archivePart, name: 'webhook' },
    look: async (asking) =>
      use.isScheduled ? judgeWebhook(webhook.origin, await webhook.connect(asking)) : idle,
  },
]

/** Pure. */
export function judgeWebhook(origin: string, unreached: UnreachedReceiver | undefined): Verdict {
  if (unreached === undefined) return ok(`${origin} takes connections`)
  const { reason, isPrivate } = unreached
  return isPrivate
    ? problem(
        `${origin} is never called: ${reason}`,
        'Set ALERT_WEBHOOK_ALLOW_PRIVATE=true where the receiver is meant to be in a private network.',
      )
    : problem(
        `${origin} takes no connection: ${reason}`,
        'Check ALERT_WEBHOOK_URL, that the receiver runs and workers can reach it, and its certificate (NODE_EXTRA_CA_CERTS names a file with those of your own authority).',
      )
}

const idle = warning(
  'nobody will be called: ALERT_WEBHOOK_URL is set, but nothing is archived, as ARCHIVE_SCHEDULE is not',
  'Set ARCHIVE_SCHEDULE, too, here and for workers; or take ALERT_WEBHOOK_URL away.',
)
