/** What runs in the background: one definition a file in jobs/, policy only. */
export interface JobDefinition<Payload, Deps> {
  /** Of the queue and of its jobs. */
  readonly name: string
  /** Pause before the attempt after the `attemptsMade`-th, ms. `random` is in [0, 1). */
  backoffMs(attemptsMade: number, random: number): number
  /** What lines of the log about a job have beside its id. Default: nothing. */
  logFields?(payload: Payload): Readonly<Record<string, unknown>>
  run(deps: Deps, payload: Payload, options: { readonly signal: AbortSignal }): Promise<JobOutcome>
}

/** A job that nobody asks for: it runs again and again. */
export interface ScheduledJobDefinition<Deps> extends JobDefinition<object, Deps> {
  /** When, as cron has it, in a time zone. */
  readonly schedule: { readonly pattern: string; readonly tz: string }
}

/** What the queue is to do with a job that has run. */
export type JobOutcome = JobEnd & {
  /** For the log. */
  readonly facts?: Readonly<Record<string, unknown>>
}

type JobEnd =
  | { readonly outcome: 'done' }
  /** Over by an error: no other attempt. */
  | { readonly outcome: 'failed'; readonly error: Error }
  /** Again, after the definition's backoff. */
  | { readonly outcome: 'retry'; readonly error: Error }
  /** Back to waiting at once, no attempt spent. */
  | { readonly outcome: 'interrupted'; readonly error: Error }
  /** Not before then, no attempt spent. */
  | { readonly outcome: 'later'; readonly until: Date }

/** The payload of a job that works on one export. */
export interface ExportPayload {
  readonly exportId: string
}
