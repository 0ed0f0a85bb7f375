import type { Client } from '../client/client.ts'
import type { Downloaded, DownloadOptions } from '../client/download.ts'
import { createDownloadDisplay } from './download-display.ts'

interface Options extends Omit<DownloadOptions, 'onProgress'> {
  /** Shows nothing. */
  readonly quiet: boolean
}

/** Downloads an artifact, and shows on stderr how that gets on. @throws what the client throws */
export async function downloadWithProgress(
  client: Pick<Client, 'download'>,
  id: string,
  { quiet, ...options }: Options,
): Promise<Downloaded> {
  if (quiet) return client.download(id, options)
  const display = createDownloadDisplay()
  try {
    return await client.download(id, { ...options, onProgress: (now) => display.update(now) })
  } finally {
    display.stop()
  }
}
