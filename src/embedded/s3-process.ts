import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { StackError } from '../errors.ts'
import { openLogFile, type LogFile } from './log-file.ts'
import { forkS3, type S3Child } from './s3-child.ts'

export interface S3ProcessOptions {
  /** A data folder that this process has locked. */
  readonly dataDir: string
  /** Taken if it is free. */
  readonly preferredPort?: number | undefined
  readonly region: string
  readonly accessKeyId: string
  readonly secretAccessKey: string
  /** Made if they are missing. */
  readonly buckets: readonly string[]
}

export interface S3Process {
  readonly endpoint: string
  readonly port: number
  readonly pid: number
  /** Resolves when the server ends without having been asked to; never rejects. */
  readonly failed: Promise<StackError>
  /** Idempotent; resolves when the process is gone. */
  stop(): Promise<void>
}

/**
 * Starts the S3 server as a child on loopback, its objects in `<dataDir>/s3`, what it says in
 * `<dataDir>/s3.log`. Throws StackError with what went wrong, and leaves nothing running.
 */
export async function startS3Process(options: S3ProcessOptions): Promise<S3Process> {
  const { dataDir, preferredPort = 0, ...rest } = options
  const dir = join(dataDir, 's3')
  await mkdir(dir, { recursive: true, mode: 0o700 })
  const log = openLogFile(join(dataDir, 's3.log'))
  try {
    for (const port of [preferredPort, 0]) {
      const child = forkS3(log)
      const answer = await child.start({ ...rest, dir, host: '127.0.0.1', port })
      if (typeof answer === 'number') return running(child, answer, log)
      await child.stop()
      if (!answer.includes('EADDRINUSE')) throw await s3Error(answer, log)
    }
  } finally {
    log.close()
  }
  throw await s3Error('found no free port', log)
}

function running(child: S3Child, port: number, log: LogFile): S3Process {
  let stopping = false
  const failed = new Promise<StackError>((resolve) => {
    void child.ended.then(async (how) => {
      if (!stopping) resolve(await s3Error(how, log))
    })
  })
  const stop = () => {
    stopping = true
    return child.stop()
  }
  return { endpoint: `http://127.0.0.1:${port}`, port, pid: child.pid, failed, stop }
}

async function s3Error(how: string, log: LogFile): Promise<StackError> {
  const tail = await log.tail().catch(() => '')
  return new StackError(`The embedded S3 server ${how}.${tail === '' ? '' : `\n${tail}`}`, {
    hint: `Look into ${log.path}, and start again: its objects are kept.`,
  })
}
