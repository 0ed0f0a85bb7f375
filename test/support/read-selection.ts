import type { Selection } from '../../src/datasets/dataset.ts'
import { services } from '../../src/datasets/services.ts'
import { roomySource, type RoomySourceOptions } from './roomy-source.ts'
import { readBlocks } from './row-blocks.ts'

/** All services with an event in July 2014. */
export const july: Selection = {
  from: '2014-07-01T00:00:00Z',
  to: '2014-08-01T00:00:00Z',
  events: 'any',
  state: 'any',
  content: true,
}

/** The elements that an export of this selection has, as they stand in it. @throws as the row source does */
export async function readTexts(
  url: string,
  selection: Selection,
  options: RoomySourceOptions = {},
): Promise<string[]> {
  const snapshot = await roomySource(url, options).open({
    signal: new AbortController().signal,
  })
  const texts: string[] = []
  try {
    for await (const batch of readBlocks(snapshot, services.queries(selection)))
      texts.push(...batch)
  } finally {
    await snapshot.close()
  }
  return texts
}

/** The elements that an export of this selection has, parsed. @throws as the row source does */
export const readSelection = async (url: string, selection: Selection): Promise<unknown[]> =>
  (await readTexts(url, selection)).map((text): unknown => JSON.parse(text))
