import { randomBytes } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { S3 } from '@aws-sdk/client-s3'
import { Client } from 'pg'
import { onTestFinished } from 'vitest'
import { removeStackData } from '../../../src/embedded/remove-stack-data.ts'
import {
  startStack,
  type Stack,
  type StackOptions,
  type StackValues,
} from '../../../src/embedded/stack.ts'

/**
 * A data folder that is not there yet, below a folder that only we may enter; both go with the test.
 * As root the database therefore lives under /var/tmp, unless `open` lets everybody pass.
 */
export async function setupFolder({ open = false } = {}): Promise<string> {
  if (open) {
    const dataDir = `/tmp/longhaul-embedded-${randomBytes(6).toString('hex')}`
    onTestFinished(() => removeStackData(dataDir))
    return dataDir
  }
  const parent = await mkdtemp(join(tmpdir(), 'longhaul-embedded-'))
  const dataDir = join(parent, 'data folder')
  onTestFinished(async () => {
    await removeStackData(dataDir)
    await rm(parent, { recursive: true, force: true })
  })
  return dataDir
}

/** Starts a stack that is stopped with the test, before its folder is removed. */
export async function setupStack(
  dataDir: string,
  options: Partial<StackOptions> = {},
): Promise<Stack> {
  const stack = await startStack({ dataDir, durable: false, ...options })
  onTestFinished(() => stack.stop())
  return stack
}

/** The rows of one statement, on a connection of its own. */
export async function query<Row>(url: string, text: string): Promise<Row[]> {
  const client = new Client({ connectionString: url })
  await client.connect()
  try {
    return (await client.query(text)).rows as Row[]
  } finally {
    await client.end()
  }
}

/** A client of the stack's S3 server; closed with the test. */
export function connectS3(values: StackValues): S3 {
  const s3 = new S3({
    endpoint: values.S3_ENDPOINT,
    region: values.S3_REGION,
    forcePathStyle: values.S3_FORCE_PATH_STYLE === 'true',
    credentials: {
      accessKeyId: values.AWS_ACCESS_KEY_ID,
      secretAccessKey: values.AWS_SECRET_ACCESS_KEY,
    },
  })
  onTestFinished(() => {
    s3.destroy()
  })
  return s3
}
