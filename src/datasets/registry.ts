import { SpecError } from '../errors.ts'
import type { Dataset } from './dataset.ts'
import { services } from './services.ts'

const datasets: ReadonlyMap<string, Dataset> = new Map([services].map((d) => [d.name, d]))

/** @throws SpecError when there is no dataset of this name */
export function findDataset(name: string): Dataset {
  const dataset = datasets.get(name)
  if (dataset !== undefined) return dataset
  const known = [...datasets.keys()].map((n) => JSON.stringify(n)).join(', ')
  throw new SpecError(
    'SPEC_UNKNOWN_DATASET',
    `dataset: expected one of ${known}, got ${JSON.stringify(name)}.`,
  )
}
