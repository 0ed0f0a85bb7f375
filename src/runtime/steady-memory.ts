import { setFlagsFromString } from 'node:v8'

/**
 * Lets V8 collect sooner. Rows and chunks live for a moment only, but by default V8 lets their
 * remains pile up: 2,000,000 ids then peak a quarter above 500,000, though nothing more is held.
 * Measured with `npm run bench:memory`; costs a few percent of the worker's processor time. Both are
 * read by V8 whenever it decides how far to grow, so that they may be set while it runs.
 */
export function keepMemorySteady(): void {
  // the young generation keeps the size it has
  setFlagsFromString('--semi-space-growth-factor=1')
  // the old one, with all buffers, is collected when it has grown by a fifth
  setFlagsFromString('--heap-growing-percent=20')
}
