import { ConfigError } from '../errors.ts'

/** Major versions of PostgreSQL that are supported. A newer one is not refused: it may well do. */
export const oldestMajor = 14
export const newestMajor = 18

export interface ServerVersion {
  /** For people, for example `18.4`. */
  readonly version: string
  /** For example 180004. */
  readonly number: number
}

/** The columns of a select that is to have a ServerVersion. */
export const serverVersionColumns = `
  current_setting('server_version') as version,
  current_setting('server_version_num')::int as number`

/** Refuses a control database that is too old: what Longhaul uses is missing. @throws ConfigError */
export function assertServerVersion({ version, number }: ServerVersion): void {
  if (number >= oldestMajor * 10_000) return
  throw new ConfigError([
    `DATABASE_URL: the control database is PostgreSQL ${version}; ${oldestMajor} to ${newestMajor} are supported`,
  ])
}
