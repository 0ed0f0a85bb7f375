import { ClientError } from '../errors.ts'
import type { ExportView } from '../http/schemas.ts'
import type { Clock } from '../runtime/clock.ts'

export type Artifact = NonNullable<ExportView['artifact']>

/** An artifact and a link to it that is made anew as often as it must be. */
export interface ArtifactLink {
  /** Of the export. */
  readonly id: string
  readonly artifact: Artifact
  /**
   * A link that has not ended yet; asks the server for another one when it has, or was refused.
   * @throws ClientError of the server, or of the state when there is no artifact any more
   */
  url(): Promise<string>
  /** Says that the store would not serve the last one. */
  refused(): void
}

/** The codes that the server has for the artifact of such an export. */
const codeOfState: Readonly<Partial<Record<ExportView['state'], string>>> = {
  expired: 'EXPORT_EXPIRED',
  failed: 'EXPORT_GONE',
  canceled: 'EXPORT_GONE',
}

/**
 * Asks the server for the artifact of an export.
 * @throws ClientError of the server, or of the state when there is no artifact
 */
export async function createArtifactLink({
  askStatus,
  clock,
}: {
  readonly askStatus: () => Promise<ExportView>
  readonly clock: Clock
}): Promise<ArtifactLink> {
  const view = await askStatus()
  const artifact = artifactOf(view)
  let link = artifact
  // where the clocks of server and client differ, a link may look ended as soon as it comes
  let fresh = true
  let refused = false
  const hasEnded = () => Date.parse(link.url_expires_at) <= clock.now().getTime()
  return {
    id: view.id,
    artifact,
    async url() {
      if (refused || (!fresh && hasEnded())) link = artifactOf(await askStatus())
      fresh = false
      refused = false
      return link.url
    },
    refused() {
      refused = true
    },
  }
}

function artifactOf({ id, state, artifact }: ExportView): Artifact {
  if (artifact !== undefined) return artifact
  throw new ClientError(
    codeOfState[state] ?? 'EXPORT_NOT_READY',
    `Export ${id} is ${state}: there is nothing to download.`,
  )
}
