import { expect } from 'vitest'
import type { z } from 'zod'
import {
  archiveListSchema,
  archiveWindowSchema,
  type ArchiveListView,
  type ArchiveWindowView,
} from '../../src/http/archive-schemas.ts'
import {
  exportListSchema,
  exportSchema,
  problemSchema,
  type ExportView,
} from '../../src/http/schemas.ts'
import type { Answer } from './ask.ts'

/** Parses, and refuses keys that the schema does not know: zod drops them. */
function strictly<Schema extends z.ZodType>(schema: Schema, value: unknown): z.output<Schema> {
  const parsed = schema.parse(value)
  expect(value).toStrictEqual(parsed)
  return parsed
}

/** An answer that shows one export, and nothing but what the API documents. */
export function expectExport(answer: Answer, status: number): ExportView {
  expect({ status: answer.status, text: answer.text }).toMatchObject({ status })
  expect(answer.headers['content-type']).toMatch(/^application\/json\b/)
  // a signed link may be in it
  expect(answer.headers['cache-control']).toBe('no-store')
  return strictly(exportSchema, answer.json)
}

/** An answer that lists exports. */
export function expectList(answer: Answer): z.output<typeof exportListSchema> {
  expect({ status: answer.status, text: answer.text }).toMatchObject({ status: 200 })
  return strictly(exportListSchema, answer.json)
}

/** An answer that lists archives. */
export function expectArchives(answer: Answer): ArchiveListView['archives'] {
  expect({ status: answer.status, text: answer.text }).toMatchObject({ status: 200 })
  expect(answer.headers['cache-control']).toBe('no-store')
  return strictly(archiveListSchema, answer.json).archives
}

/** An answer that shows a window of an archive. */
export function expectWindow(answer: Answer): ArchiveWindowView {
  expect({ status: answer.status, text: answer.text }).toMatchObject({ status: 200 })
  expect(answer.headers['content-type']).toMatch(/^application\/json\b/)
  // signed links may be in it
  expect(answer.headers['cache-control']).toBe('no-store')
  return strictly(archiveWindowSchema, answer.json)
}

/** An answer that is an RFC 9457 problem, whole, and tells nothing about the server's inside. */
export function expectProblem(
  answer: Answer,
  status: number,
  code?: string,
): z.output<typeof problemSchema> {
  expect({ status: answer.status, text: answer.text }).toMatchObject({ status })
  expect(answer.headers['content-type']).toMatch(/^application\/problem\+json\b/)
  const problem = strictly(problemSchema, answer.json)
  expect(problem.status).toBe(status)
  if (code !== undefined) expect(problem.code).toBe(code)
  expect(problem.type).toMatch(/^(urn|https?):\S+$/)
  for (const text of [problem.title, problem.detail, problem.code]) expect(text).not.toBe('')
  expectNoInsides(answer.text)
  return problem
}

/** No stack trace and no path of the server's files. */
export function expectNoInsides(text: string): void {
  expect(text).not.toContain(process.cwd())
  expect(text).not.toMatch(/node_modules|file:\/\/|\.[jt]s:\d+|\\n\s+at /)
}
