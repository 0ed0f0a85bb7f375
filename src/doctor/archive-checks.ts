import { ConfigError } from '../errors.ts'
import { bucketPart } from './bucket-checks.ts'
import { controlPart } from './control-checks.ts'
import { ok, problem } from './finding.ts'
import {
  describeArchives,
  judgeArchiveLink,
  judgeArchiveRemoved,
  judgeCalendars,
} from './judge-archive.ts'
import { judgeCopied } from './judge-bucket.ts'
import { judgeArchiveLifecycle } from './judge-lifecycle.ts'
import type { BucketInspection } from './bucket-ports.ts'
import type { ArchiveFacts, ControlInspection } from './ports.ts'
import { probeChecks } from './probe-checks.ts'
import type { Check } from './run-checks.ts'

export const archivePart = 'archive'

export interface ArchiveParts {
  /** The archives as they are defined. @throws ConfigError */
  readonly define: () => readonly ArchiveFacts[]
  readonly control: Pick<ControlInspection, 'archives'>
  /** By an object of its own, below the archives. */
  readonly bucket: BucketInspection
}

/** What archives need besides what exports do. @param folder below which all archives are */
export function archiveChecks(
  { define, control, bucket }: ArchiveParts,
  folder: string,
): readonly Check[] {
  const step = (name: string, needs: readonly string[], look: Check['look']): Check => ({
    part: archivePart,
    name,
    needs,
    look,
  })
  const answer = `${bucketPart}.answer`
  const { list, put, uploads } = probeChecks(archivePart, bucket, folder, answer)
  let defined: readonly ArchiveFacts[] = []
  return [
    step('definitions', [], () => {
      try {
        defined = define()
        return ok(describeArchives(defined))
      } catch (error) {
        if (!(error instanceof ConfigError)) throw error
        return error.problems.map((each) => problem(each, onDefinitions))
      }
    }),
    step('calendar', ['definitions', `${controlPart}.migrations`], async (asking) =>
      judgeCalendars(defined, await control.archives(asking)),
    ),
    list,
    put,
    step('copy', ['put'], async (asking) => judgeCopied(await bucket.copy(asking))),
    step('link', ['put', `${bucketPart}.link`], async (asking) => {
      const { linkPlace } = bucket
      return judgeArchiveLink(await bucket.fetchLink(asking), { folder, linkPlace })
    }),
    step('delete', ['put'], async (asking) => judgeArchiveRemoved(await bucket.remove(asking))),
    ...uploads,
    step('lifecycle', [answer], async (asking) => {
      const names = defined.map(({ name }) => name)
      return judgeArchiveLifecycle(await bucket.lifecycle(asking), { folder, names })
    }),
  ]
}

const onDefinitions = 'Correct the file, or let ARCHIVES_FILE lead to another one.'
