import { describe, expect, it } from 'vitest'
import { requiredTools, type OptionalTool } from './optional-tools.ts'

/**
 * Tests that need a tool. Where it is `missing`, for the reason given, one skipped test stands for all of
 * them and says so, as does a line on stderr; or a failing one, where the tool is required.
 */
export function describeWith(
  tool: OptionalTool,
  missing: string | undefined,
  name: string,
  suite: () => void,
): void {
  if (missing === undefined) {
    describe(name, suite)
    return
  }
  const required = requiredTools().includes(tool)
  if (!required) process.stderr.write(`Not tested: ${name}: ${missing}.\n`)
  describe(name, () => {
    if (required) it(`needs ${tool}`, () => expect.fail(`LONGHAUL_TEST_REQUIRE: ${missing}`))
    else it.skip(`is not tested: ${missing}`, () => undefined)
  })
}
