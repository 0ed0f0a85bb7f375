import { createHash, randomBytes } from 'node:crypto'
import { Command, InvalidArgumentError, Option } from 'commander'
import { apiKeyName, apiKeyRoles, type ApiKeyRole } from '../../config/api-keys.ts'
import { newCommand, type BuildCommand } from '../command.ts'
import { createOutput } from '../output.ts'

const keyBytes = 32

interface Options {
  readonly json?: boolean
  readonly role: ApiKeyRole
}

export const keysCommand: BuildCommand = () => {
  const create = newCommand('create', 'make a key, and print it once')
    .argument('<name>', 'stands on the records of what it asks for, and in the log', parseName)
    .addOption(
      new Option('--role <role>', 'what it may do').choices([...apiKeyRoles]).makeOptionMandatory(),
    )
    .action((name: string, { json = false, role }: Options) => {
      const key = `lh_${randomBytes(keyBytes).toString('base64url')}`
      const entry = `${name}:${role}:${createHash('sha256').update(key).digest('hex')}`
      createOutput({ json }).result({ name, role, key, entry }, [
        `The key, which is shown this once and kept nowhere:`,
        '',
        `  ${key}`,
        '',
        'For server and workers, in API_KEYS (entries separated by commas) or as a line of the file API_KEYS_FILE:',
        '',
        `  ${entry}`,
        '',
        'They know it once they are started with it, and no longer once they are started without it.',
      ])
    })
  return new Command('keys').description('make API keys').addCommand(create)
}

function parseName(name: string): string {
  if (apiKeyName.test(name)) return name
  throw new InvalidArgumentError(
    'expected up to 63 letters, digits, dots, underscores and hyphens, a letter or digit first',
  )
}
