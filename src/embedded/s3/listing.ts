/** One page of a listing: items in order, and prefixes that stand for all that lies below them. */
export interface Page<Item> {
  readonly items: readonly Item[]
  readonly commonPrefixes: readonly string[]
  /** The last item or prefix of the page, if more follow. */
  readonly last: { readonly key: string; readonly item: Item | undefined } | undefined
}

export interface PageQuery<Item> {
  readonly prefix: string
  readonly delimiter: string
  /** Most entries of a page, items and prefixes together. */
  readonly limit: number
  /** Tells whether an item, or the prefix that stands for it, was on an earlier page. */
  readonly isPast: (item: Item, commonPrefix: string | undefined) => boolean
}

/** The usual `isPast`: a marker is a key, or a prefix that the page before ended with. */
export function isUpTo(marker: string) {
  return ({ key }: { readonly key: string }, commonPrefix: string | undefined): boolean =>
    marker !== '' && (commonPrefix === marker || compareKeys(key, marker) <= 0)
}

/** Cuts a page out of items that are in order of their keys. */
export function pageOf<Item extends { readonly key: string }>(
  sorted: readonly Item[],
  { prefix, delimiter, limit, isPast }: PageQuery<Item>,
): Page<Item> {
  const items: Item[] = []
  const commonPrefixes: string[] = []
  let last: Page<Item>['last']
  for (const item of sorted) {
    if (!item.key.startsWith(prefix)) continue
    const common = commonPrefixOf(item.key, prefix, delimiter)
    if (common !== undefined && common === commonPrefixes.at(-1)) continue
    if (isPast(item, common)) continue
    if (items.length + commonPrefixes.length >= limit) {
      return { items, commonPrefixes, last: limit === 0 ? undefined : last }
    }
    if (common === undefined) items.push(item)
    else commonPrefixes.push(common)
    last = { key: common ?? item.key, item: common === undefined ? item : undefined }
  }
  return { items, commonPrefixes, last: undefined }
}

function commonPrefixOf(key: string, prefix: string, delimiter: string): string | undefined {
  if (delimiter === '') return undefined
  const end = key.indexOf(delimiter, prefix.length)
  return end < 0 ? undefined : key.slice(0, end + delimiter.length)
}

/**
 * Orders keys by their bytes in UTF-8. Comparing strings would order by UTF-16, which puts what lies beyond
 * U+FFFF before U+E000 and not last.
 */
export function compareKeys(a: string, b: string): number {
  const shorter = Math.min(a.length, b.length)
  for (let index = 0; index < shorter; index += 1) {
    const left = a.charCodeAt(index)
    const right = b.charCodeAt(index)
    if (left !== right) return rank(left) - rank(right)
  }
  return a.length - b.length
}

/** Moves surrogates behind all other code units. */
function rank(unit: number): number {
  if (unit < 0xd800) return unit
  return unit < 0xe000 ? unit + 0x2000 : unit - 0x800
}
