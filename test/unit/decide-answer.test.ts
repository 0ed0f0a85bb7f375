import { describe, expect, it } from 'vitest'
import { decideAnswer, type AnswerHead, type Asked } from '../../src/client/decide-answer.ts'

const start: Asked = { offset: 0, etag: undefined, totalBytes: 100, mayStartOver: true }
const rest: Asked = { offset: 40, etag: '"a"', totalBytes: 100, mayStartOver: true }

const head = (status: number, facts: Partial<AnswerHead> = {}): AnswerHead => ({
  status,
  said: `${status} Words`,
  ...facts,
})
const part = (contentRange?: string, etag = '"a"') => head(206, { contentRange, etag })

describe('an answer of the store', () => {
  it.each<[string, AnswerHead, Asked, string]>([
    ['the whole', head(200, { contentLength: 100 }), start, 'whole'],
    ['the whole, of a size that is not announced', head(200), start, 'whole'],
    ['another size', head(200, { contentLength: 99 }), start, 'mismatch'],
    ['another size instead of a range', head(200, { contentLength: 101 }), rest, 'mismatch'],
    ['the whole instead of a range', head(200, { contentLength: 100 }), rest, 'whole'],
    ['that once too often', head(200), { ...rest, mayStartOver: false }, 'untrusted'],
    ['the whole at the last restart', head(200), { ...start, mayStartOver: false }, 'whole'],
    ['the range', part('bytes 40-99/100'), rest, 'rest'],
    ['less than the range', part('bytes 40-50/100'), rest, 'rest'],
    ['all of it as a range', part('bytes 0-99/100'), start, 'rest'],
    ['a range that begins before', part('bytes 39-99/100'), rest, 'untrusted'],
    ['a range that begins behind', part('bytes 41-99/100'), rest, 'untrusted'],
    ['a range of another size', part('bytes 40-98/99'), rest, 'untrusted'],
    ['a range of unknown size', part('bytes 40-99/*'), rest, 'untrusted'],
    ['a range of other units', part('lines 40-99/100'), rest, 'untrusted'],
    ['a range that does not say which', part(), rest, 'untrusted'],
    ['a range of another object', part('bytes 40-99/100', '"b"'), rest, 'changed'],
    ['that the object is another one', head(412), rest, 'changed'],
    ['that there is no such range', head(416), rest, 'changed'],
    ['412 without a condition', head(412), start, 'refused'],
    ['416 without a range', head(416), start, 'refused'],
    ['a refusal', head(403), rest, 'refused'],
    ['that there is nothing', head(404), start, 'refused'],
    ['nothing', head(204), start, 'refused'],
    ['a redirect to nowhere', head(302), start, 'refused'],
    ['an encoded body', head(200, { contentEncoding: 'gzip' }), start, 'refused'],
    [
      'a body that says it is not encoded',
      head(200, { contentEncoding: 'identity' }),
      start,
      'whole',
    ],
    // what some stores keep of how the object was uploaded
    ['a trace of the upload', head(200, { contentEncoding: 'aws-chunked' }), start, 'whole'],
    ['that it is busy', head(503), rest, 'broken'],
    ['that something broke', head(500), start, 'broken'],
  ])('that is %s', (_, answer, asked, kind) => {
    expect(decideAnswer(answer, asked).kind).toBe(kind)
  })

  it('is told in the words of the store', () => {
    expect(
      decideAnswer(head(403, { said: '403 AccessDenied: Request has expired' }), start),
    ).toEqual({
      kind: 'refused',
      reason: 'the object store answered 403 AccessDenied: Request has expired',
    })
  })

  it('says when to ask again', () => {
    const answer = head(503, { retryAfterMs: 7000 })
    expect(decideAnswer(answer, start)).toMatchObject({ kind: 'broken', retryAfterMs: 7000 })
  })
})
