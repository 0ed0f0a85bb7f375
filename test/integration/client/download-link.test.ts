import { describe, expect, it } from 'vitest'
import { download } from '../../../src/client/download.ts'
import { ClientError } from '../../../src/errors.ts'
import type { ExportView } from '../../../src/http/schemas.ts'
import { answerError, answerWell } from '../../support/fake-store.ts'
import { setup } from './setup.ts'

const ended = '2026-01-01T00:00:00.000Z'

/** The state of an export that has no artifact. */
const without = (view: ExportView, state: ExportView['state']) => ({
  ...view,
  state,
  artifact: undefined,
})

describe('a link', () => {
  it('that the store refuses is replaced by a fresh one, and the download goes on', async () => {
    const bundle = await setup({
      answer({ number, link, offset }, response, well) {
        if (number === 1) answerWell(response, bundle.body, offset, { breakAfter: 1000 })
        else if (link === 1) answerError(response, 403, 'AccessDenied')
        else well()
      },
    })
    await bundle.download()
    expect((await bundle.text()).equals(bundle.body)).toBe(true)
    const used = bundle.requests.map(({ link, offset }) => [link, offset])
    expect(used).toEqual([
      [1, undefined],
      [1, 1000],
      [2, 1000],
    ])
  })

  it('that has ended is not even tried', async () => {
    const bundle = await setup({
      answer({ number, offset }, response, well) {
        if (number > 1) well()
        else answerWell(response, bundle.body, offset, { breakAfter: 1000 })
      },
      view: (number, plain) => ({
        ...plain,
        artifact: { ...plain.artifact!, ...(number === 1 && { url_expires_at: ended }) },
      }),
    })
    await bundle.download()
    expect(bundle.requests.map(({ link }) => link)).toEqual([1, 2])
  })

  it('that looks ended as soon as it comes is tried all the same: clocks differ', async () => {
    const { download, requests } = await setup({
      view: (_, plain) => ({
        ...plain,
        artifact: { ...plain.artifact!, url_expires_at: ended },
      }),
    })
    await download()
    expect(requests.map(({ link }) => link)).toEqual([1])
  })

  it.each([400, 401, 403, 404])(
    'that is refused with %i when fresh, too, ends the download with what the store said',
    async (status) => {
      const bundle = await setup({
        answer: (_, response) => answerError(response, status, 'NotForYou'),
      })
      const error = await bundle.failure()
      expect(error).toMatchObject({ code: 'DOWNLOAD_FAILED', retryable: true })
      expect(error.message).toContain(`${status} NotForYou: in other words`)
      expect(bundle.requests.map(({ link }) => link)).toEqual([1, 2])
    },
  )

  it.each([
    ['expired', 'EXPORT_EXPIRED'],
    ['canceled', 'EXPORT_GONE'],
    ['queued', 'EXPORT_NOT_READY'],
  ] as const)('of an export that is %s meanwhile is not made: %s', async (state, code) => {
    const { failure } = await setup({
      answer: (_, response) => answerError(response, 404, 'NoSuchKey'),
      view: (number, plain) => (number === 1 ? plain : without(plain, state)),
    })
    expect(await failure()).toMatchObject({ code })
  })

  it('is asked for again when the server is away just then', async () => {
    const bundle = await setup({
      answer({ link, offset }, response, well) {
        if (link > 1) {
          well()
          return
        }
        if (offset === undefined) answerWell(response, bundle.body, offset, { breakAfter: 1000 })
        else answerError(response, 403, 'AccessDenied')
      },
    })
    let asked = 0
    const flaky = async () => {
      asked += 1
      if (asked === 1 || asked > 3) return bundle.client.status(bundle.id)
      throw new ClientError('SERVER_UNAVAILABLE', 'Nobody there.', { retryable: true })
    }
    await download(flaky, { file: bundle.file, pauseMs: 1 })
    expect(asked).toBe(4)
    expect((await bundle.text()).equals(bundle.body)).toBe(true)
  })
})
