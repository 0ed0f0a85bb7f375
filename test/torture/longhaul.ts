import { fileURLToPath } from 'node:url'

/** The compiled command line. */
export const longhaul = fileURLToPath(new URL('../../src/cli/main.js', import.meta.url))
