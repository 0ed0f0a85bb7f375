import type { Selection } from '../../src/datasets/dataset.ts'
import { services } from '../../src/datasets/services.ts'
import { createRowSource } from '../../src/postgres/snapshot.ts'

/** The elements that an export of this selection has, parsed. @throws as the row source does */
export async function readSelection(url: string, selection: Selection): Promise<unknown[]> {
  const snapshot = await createRowSource(url).open({ signal: new AbortController().signal })
  const elements: unknown[] = []
  try {
    for await (const batch of snapshot.read(services.queries(selection))) {
      for (const element of batch) elements.push(JSON.parse(element))
    }
  } finally {
    await snapshot.close()
  }
  return elements
}
