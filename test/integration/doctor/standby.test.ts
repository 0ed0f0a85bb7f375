import { expect, it, onTestFinished } from 'vitest'
import { migrate } from '../../../src/postgres/migrate.ts'
import { startStandbyPair } from '../../support/standby.ts'
import { until } from '../../support/until.ts'
import { createPatient, saying } from './setup.ts'

it('a standby is told apart: as the source with advice, as the control database as a problem', async () => {
  const { primaryUrl, standbyUrl } = await startStandbyPair(onTestFinished)
  await migrate(primaryUrl, { referenceSchema: true })
  const { diagnose } = await createPatient(onTestFinished)
  const passwords = { secrets: [new URL(primaryUrl).password] }
  const asSource = await until(async () => {
    const diagnosis = await diagnose({ SOURCE_DATABASE_URL: standbyUrl }, passwords)
    // it has not replayed everything before
    return diagnosis.checks('problem').length === 0 && diagnosis
  })
  expect(asSource.of('source database.standby')).toEqual([
    saying('ok', /^it is a standby, [\d.]+ s behind its primary$/),
    saying('warning', /feedback is off and max_standby_streaming_delay is 0 s/, /on the standby/),
  ])

  const asControl = await diagnose({ DATABASE_URL: standbyUrl }, passwords)
  expect(asControl.of('control database.server')).toContainEqual(
    saying('problem', /standby: nothing can be written/, /primary/),
  )
})
