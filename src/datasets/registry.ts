import { SpecError } from '../errors.ts'
import type { Dataset } from './dataset.ts'
import { services } from './services.ts'

const datasets: ReadonlyMap<string, Dataset> = new Map([services].map((d) => [d.name, d]))

export const allDatasets: readonly Dataset[] = [...datasets.values()]

/** Of all that can be exported. */
export const datasetNames: readonly string[] = [...datasets.keys()]

/** @throws SpecError when there is no dataset of this name */
export function findDataset(name: string): Dataset {
  const dataset = datasets.get(name)
  if (dataset !== undefined) return dataset
  const known = datasetNames.map((n) => JSON.stringify(n)).join(', ')
  throw new SpecError(
    'SPEC_UNKNOWN_DATASET',
    `dataset: expected one of ${known}, got ${JSON.stringify(name)}.`,
  )
}
