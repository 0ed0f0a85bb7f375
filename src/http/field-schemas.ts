/** What many shapes of the API have in common. */
import { z } from 'zod'

export const time = z.iso.datetime().describe('RFC 3339, UTC.')
export const count = z.int().nonnegative()

export const errorSchema = z.object({
  code: z.string(),
  message: z.string(),
  hint: z.string().optional(),
  retryable: z.boolean(),
})

/** What an export or a window asks for, besides its range. */
export const requestFields = {
  dataset: z.string(),
  filter_events: z.string(),
  export_content: z.boolean(),
  filter_state: z.string(),
  format: z.string(),
  compression: z.string(),
}

/** A stored object, and a link to it. */
export const linkFields = {
  url: z.url().describe('Signed link.'),
  url_expires_at: time,
  key: z.string(),
}

/** What an artifact holds. */
export const artifactFields = {
  bytes: count.describe('Of the stored object.'),
  rows: count,
  sha256: z.string().describe('Of the stored object, lower-case hex.'),
  content_type: z.string(),
  raw_bytes: count.describe('Of the JSON: more than bytes where it is compressed.'),
  raw_sha256: z.string().describe('Of the JSON, lower-case hex.'),
}
