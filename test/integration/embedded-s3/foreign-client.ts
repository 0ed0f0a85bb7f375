import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { runTool, TOOL_ENVIRONMENT, type ToolResult } from '../../../src/embedded/run-tool.ts'
import { findProgram } from '../../support/find-program.ts'
import { accessKeyId, bucket, region, secretAccessKey, temporaryFolder } from './setup.ts'

/** A command of a client: its arguments. Files are named as they are in the folder it works in. */
type Command = readonly string[]

/** How an S3 client that somebody else wrote is told what to do. */
export interface ForeignCommands {
  put(file: string, key: string): Command
  /** In parts of 5 MiB. */
  putInParts(file: string, key: string): Command
  get(key: string, file: string): Command
  /** What follows the first bytes, which are in the file already; the file then has the rest, or all. */
  getRest(key: string, file: string, firstBytes: number): Command
  list(): Command
  remove(key: string): Command
  listUploads(): Command
  listParts(key: string, uploadId: string): Command
  abort(key: string, uploadId: string): Command
}

/** s3cmd: a signature of its own, in Python. */
export const s3cmdCommands: ForeignCommands = {
  put: (file, key) => ['put', file, uri(key)],
  putInParts: (file, key) => ['put', '--multipart-chunk-size-mb=5', file, uri(key)],
  get: (key, file) => ['get', uri(key), file],
  getRest: (key, file) => ['get', '--continue', uri(key), file],
  list: () => ['ls', '--recursive', uri('')],
  remove: (key) => ['del', uri(key)],
  listUploads: () => ['multipart', uri('')],
  listParts: (key, uploadId) => ['listmp', uri(key), uploadId],
  abort: (key, uploadId) => ['abortmp', uri(key), uploadId],
}

/** The AWS command line: botocore's signature, which most of the world uses. */
export const awsCommands: ForeignCommands = {
  put: (file, key) => ['s3', 'cp', '--no-progress', file, uri(key)],
  // above 8 MiB it does by itself
  putInParts: (file, key) => ['s3', 'cp', '--no-progress', file, uri(key)],
  get: (key, file) => ['s3', 'cp', '--no-progress', uri(key), file],
  getRest: (key, file, firstBytes) => [
    ...api('get-object', key),
    ...['--range', `bytes=${firstBytes}-`, file],
  ],
  list: () => ['s3', 'ls', '--recursive', uri('')],
  remove: (key) => ['s3', 'rm', uri(key)],
  listUploads: () => ['s3api', 'list-multipart-uploads', '--bucket', bucket],
  listParts: (key, uploadId) => [...api('list-parts', key), '--upload-id', uploadId],
  abort: (key, uploadId) => [...api('abort-multipart-upload', key), '--upload-id', uploadId],
}

export interface ForeignClient {
  /** Where it works. */
  readonly folder: string
  /** Runs a command to its end. Throws when it fails, unless that is expected. */
  readonly run: (command: Command, expected?: 'success' | 'failure') => Promise<string>
}

/** Why the client cannot be used; undefined when it can. */
export async function missingClient(name: 's3cmd' | 'aws'): Promise<string | undefined> {
  const file = findProgram(name)
  if (file === undefined) {
    return `${name} is not installed (Debian: apt-get install ${name === 'aws' ? 'awscli' : name})`
  }
  const { code, output } = await runTool(file, ['--version'])
  return code === 0 ? undefined : `${file} does not run: ${output.trim()}`
}

/** A client of the server at `url`, which knows nothing else: no settings of whoever runs the tests. */
export async function createForeignClient(
  name: 's3cmd' | 'aws',
  url: string,
  secret = secretAccessKey,
): Promise<ForeignClient> {
  const folder = temporaryFolder()
  const { host } = new URL(url)
  const s3cmdSettings = {
    access_key: accessKeyId,
    secret_key: secret,
    host_base: host,
    // not `%(bucket)s.` before it: the bucket goes into the path
    host_bucket: host,
    use_https: 'False',
    progress_meter: 'False',
  }
  const lines = Object.entries(s3cmdSettings).map((setting) => setting.join(' = '))
  await writeFile(join(folder, '.s3cfg'), ['[default]', ...lines, ''].join('\n'))
  const environment = {
    ...TOOL_ENVIRONMENT,
    LC_ALL: 'C.UTF-8',
    HOME: folder,
    AWS_ACCESS_KEY_ID: accessKeyId,
    AWS_SECRET_ACCESS_KEY: secret,
    AWS_DEFAULT_REGION: region,
    AWS_PAGER: '',
    // else it looks for a role of this machine, on the network
    AWS_EC2_METADATA_DISABLED: 'true',
  }
  const variables = Object.entries(environment).map((variable) => variable.join('='))
  const program = [findProgram(name) ?? name, ...(name === 'aws' ? ['--endpoint-url', url] : [])]
  return {
    folder,
    async run(command, expected = 'success') {
      const args = ['-i', ...variables, ...program, ...command]
      const { code, output }: ToolResult = await runTool('/usr/bin/env', args, { cwd: folder })
      const outcome = code === 0 ? 'success' : 'failure'
      if (outcome === expected) return output
      throw new TypeError(`${name} ${command.join(' ')}: ${outcome} (${code ?? '?'}): ${output}`)
    },
  }
}

function uri(key: string): string {
  return `s3://${bucket}/${key}`
}

function api(operation: string, key: string): Command {
  return ['s3api', operation, '--bucket', bucket, '--key', key]
}
