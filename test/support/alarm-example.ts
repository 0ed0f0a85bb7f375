import type { IncomingHttpHeaders, Server } from 'node:http'
import { pathToFileURL } from 'node:url'
import { join } from 'node:path'
import { projectFolder } from './project-file.ts'

/** What docs/examples/receive-alarm.mjs exports. */
export interface AlarmExample {
  readonly isSigned: (secret: string, headers: IncomingHttpHeaders, body: string) => boolean
  readonly receiver: (secret: string | undefined, onAlarm: (alarm: unknown) => void) => Server
}

export const loadAlarmExample = async (): Promise<AlarmExample> => {
  const path = join(projectFolder, 'docs/examples/receive-alarm.mjs')
  return (await import(pathToFileURL(path).href)) as AlarmExample
}
