/** What a machine that runs the tests may lack: then the tests that need it are skipped, loudly. */
export const optionalTools = [
  'radosgw',
  's3cmd',
  'aws',
  'psql',
  'curl',
  'pgbouncer',
  'prlimit',
  'redis',
  'postgres',
  'openssl',
  'script',
] as const
export type OptionalTool = (typeof optionalTools)[number]

/**
 * What this run must not skip, by `LONGHAUL_TEST_REQUIRE`: names of tools, separated by commas. Throws
 * when it names another: a misspelt name would require nothing.
 */
export function requiredTools(): readonly OptionalTool[] {
  const names = (process.env['LONGHAUL_TEST_REQUIRE'] ?? '')
    .split(',')
    .filter((name) => name !== '')
  return names.map((name) => {
    const tool = optionalTools.find((known) => known === name)
    if (tool !== undefined) return tool
    throw new RangeError(
      `LONGHAUL_TEST_REQUIRE: expected names among ${optionalTools.join(', ')}, got ${name}`,
    )
  })
}
