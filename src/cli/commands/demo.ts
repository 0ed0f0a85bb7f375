import { newCommand, type BuildCommand } from '../command.ts'
import { wholeNumber } from '../parse-options.ts'

interface Options {
  readonly json?: boolean
  readonly keep?: boolean
  readonly services: number
}

export const demoCommand: BuildCommand = (readEnvironment) =>
  newCommand('demo', 'show the main job on a stack of its own, in a temporary folder')
    .option('--services <n>', 'how many services to seed', wholeNumber, 200_000)
    .option('--keep', 'leave it running until Ctrl-C')
    .action(async ({ json = false, keep = false, services }: Options) => {
      const { demo } = await import('../demo.ts')
      await demo(readEnvironment(), { json, keep, services })
    })
