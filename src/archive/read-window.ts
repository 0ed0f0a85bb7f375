import { SpecError, StoreError } from '../errors.ts'
import { archivesFolder, fileName, supersededKey } from '../export/object-key.ts'
import type { ArtifactStore, Link } from '../export/ports.ts'
import type { Clock } from '../runtime/clock.ts'
import { got } from '../runtime/describe-issues.ts'
import { windowAt, windowNamed } from './calendar.ts'
import { currentGenerations, unknownArchive } from './coverage.ts'
import { manifestKey, openManifest, specOf, type OpenedManifest } from './manifest.ts'
import type { CalendarWindow, CoverageState, EnteredArchive, LedgerWindow } from './model.ts'
import { firstWindow, settledAt } from './plan-windows.ts'
import type { ArchiveLedger, ManifestStore } from './ports.ts'

export interface ReadWindowDeps {
  readonly ledger: Pick<ArchiveLedger, 'listArchives' | 'listWindows'>
  readonly manifests: Pick<ManifestStore, 'get'>
  readonly artifacts: Pick<ArtifactStore, 'link' | 'stat'>
  readonly clock: Clock
  readonly keyPrefix: string
  readonly linkTtlSeconds: number
}

/** All that there is of one window. */
export interface FoundWindow {
  readonly archive: EnteredArchive
  readonly window: CalendarWindow
  readonly state: CoverageState
  /** When it may be read, at the earliest. */
  readonly settledAt: Date
  /** Oldest first; none where nobody has planned it. */
  readonly generations: readonly LedgerWindow[]
  /** Its latest archived generation, else its latest. */
  readonly current?: LedgerWindow
  /** Of that one, once it is archived. */
  readonly archived?: ArchivedWindow
}

export interface ArchivedWindow {
  readonly manifestKey: string
  readonly manifest: OpenedManifest
  /** Where it lies now. */
  readonly artifactKey: string
  /** Signed anew each time. */
  readonly manifestLink: Link
  readonly artifactLink: Link
}

/**
 * Looks up one window by the names of archive and window. What an archived one holds is what the manifest of its latest archived generation
 * says, also where no record of its export is known.
 * @throws SpecError when there is no such archive or window, or the window is not over or before the first one;
 * StoreError, `ARCHIVE_CORRUPT` when its manifest is not there or not as it was written; SourceError
 */
export async function readWindow(
  deps: ReadWindowDeps,
  asked: { readonly archive: string; readonly window: string },
): Promise<FoundWindow> {
  const { ledger, clock } = deps
  const now = clock.now()
  const archives = await ledger.listArchives()
  const archive = archives.find(({ name }) => name === asked.archive)
  if (archive === undefined) throw unknownArchive(asked.archive, archives)
  const window = windowNamed(archive.calendar, asked.window)
  if (window === undefined) throw notOfCalendar(archive, asked.window, now)
  const entries = await ledger.listWindows(archive.name, window)
  const current = currentGenerations(entries).get(window.from.getTime())
  if (current === undefined) assertExpected(archive, window, now)
  const at = settledAt(window.to, archive)
  const found = { archive, window, settledAt: at, generations: entries }
  if (current === undefined) return { ...found, state: at > now ? 'settling' : 'missing' }
  const { state } = current
  if (state !== 'archived') return { ...found, state, current }
  return { ...found, state, current, archived: await readArchived(deps, current) }
}

async function readArchived(
  { manifests, artifacts, keyPrefix, linkTtlSeconds: ttlSeconds }: ReadWindowDeps,
  entry: LedgerWindow,
): Promise<ArchivedWindow> {
  const key = manifestKey(keyPrefix, entry)
  const text = await manifests.get(key)
  if (text === undefined) throw corrupt(key, 'is not there, though its window is archived')
  const manifest = openManifest(key, text)
  assertOf(entry, manifest, key, keyPrefix)
  const { artifact } = manifest
  const artifactKey = await locate(artifacts, keyPrefix, artifact.key)
  // named after the archive: of one dataset there may be several
  const name = fileName({ ...specOf(manifest), dataset: entry.archive })
  const [artifactLink, manifestLink] = await Promise.all([
    artifacts.link(artifactKey, {
      ttlSeconds,
      fileName: name,
      contentType: artifact.content_type,
    }),
    artifacts.link(key, {
      ttlSeconds,
      fileName: `${entry.archive}_${key.slice(key.lastIndexOf('/') + 1)}`,
      contentType: 'application/json',
    }),
  ])
  return { manifestKey: key, manifest, artifactKey, artifactLink, manifestLink }
}

/** While a repair goes on, or after one that did not come to an end, it may lie beside its partition already. */
async function locate(
  artifacts: ReadWindowDeps['artifacts'],
  keyPrefix: string,
  named: string,
): Promise<string> {
  if ((await artifacts.stat(named)) !== undefined) return named
  const superseded = supersededKey(keyPrefix, named)
  return (await artifacts.stat(superseded)) === undefined ? named : superseded
}

/** A manifest that was put in the place of another opens nothing that is not of its window. @throws StoreError */
function assertOf(
  { archive, generation, from, to }: LedgerWindow,
  manifest: OpenedManifest,
  key: string,
  keyPrefix: string,
): void {
  const isOfWindow =
    manifest.archive === archive &&
    manifest.generation === generation &&
    Date.parse(manifest.time_from) === from.getTime() &&
    Date.parse(manifest.time_to) === to.getTime()
  if (!isOfWindow) throw corrupt(key, 'is that of another window')
  const folder = `${archivesFolder(keyPrefix)}${archive}/`
  if (manifest.artifact.key.startsWith(folder)) return
  throw corrupt(key, `names ${manifest.artifact.key}, which is not below ${folder}`)
}

const corrupt = (key: string, what: string) =>
  new StoreError('ARCHIVE_CORRUPT', `The manifest ${key} ${what}.`, {
    hint: 'Put it back from a copy or an earlier version of the object; `longhaul verify` shows what else differs.',
  })

/** The forms in which windows are named. */
const forms = {
  hour: 'hours, named by their start in UTC',
  day: 'days, named by their local date',
  month: 'months, named by year and month',
} as const

function notOfCalendar({ name, calendar }: EnteredArchive, window: string, now: Date): SpecError {
  const example = windowAt(calendar, new Date(windowAt(calendar, now).from.getTime() - 1))
  return unknownWindow(
    `The archive ${name} has no window ${got(window)}.`,
    `Its windows are ${forms[calendar.unit]}, in ${calendar.timeZone}: such as ${example.name}.`,
  )
}

/** @throws SpecError when nobody expects anything of it now */
function assertExpected(archive: EnteredArchive, window: CalendarWindow, now: Date): void {
  if (window.to > now) {
    throw unknownWindow(
      `The window ${window.name} of ${archive.name} is not over before ${window.to.toISOString()}.`,
      `It may be read from ${settledAt(window.to, archive).toISOString()} on.`,
    )
  }
  const first = firstWindow(archive)
  if (window.from >= first.from) return
  const { name, date } = window
  throw unknownWindow(
    `The archive ${archive.name} begins with ${first.name}, and has nothing of ${name}.`,
    `\`longhaul archive --archive ${archive.name} --from ${date} --to ${date}\` archives what is before.`,
  )
}

const unknownWindow = (message: string, hint: string) =>
  new SpecError('WINDOW_UNKNOWN', message, { hint })
