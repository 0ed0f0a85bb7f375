import type { Value } from './dataset.ts'

/** Collects the values of a statement: each becomes a parameter, whose SQL is returned. */
export interface Parameters {
  readonly values: readonly Value[]
  text(value: string): string
  time(value: string): string
  times(values: readonly string[]): string
}

export function createParameters(): Parameters {
  const values: Value[] = []
  const add = (value: Value, type: string) => `$${values.push(value)}::${type}`
  return {
    values,
    text: (value) => add(value, 'text'),
    time: (value) => add(value, 'timestamptz'),
    times: (value) => add(value, 'timestamptz[]'),
  }
}
