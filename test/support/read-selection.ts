import type { Selection } from '../../src/datasets/dataset.ts'
import { services } from '../../src/datasets/services.ts'
import { roomySource, type RoomySourceOptions } from './roomy-source.ts'
import { readBlocks } from './row-blocks.ts'

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
