import { Command } from 'commander'
import type { Environment } from '../config.ts'

/** Builds one command; `readEnvironment` is called only when it runs. */
export type BuildCommand = (readEnvironment: () => Environment) => Command

/** A command with the option that all of them have. */
export const newCommand = (name: string, description: string): Command =>
  new Command(name)
    .description(description)
    .option('--json', 'print one JSON document on stdout, and nothing else')
