import type { FastifyInstance } from 'fastify'
import { ConfigError } from '../errors.ts'

/**
 * Begins to answer.
 * @param variable that the port came from
 * @returns where, as a URL
 * @throws ConfigError when host and port cannot be had
 */
export async function listen(
  app: FastifyInstance,
  { host, port }: { readonly host: string; readonly port: number },
  { variable }: { readonly variable: 'PORT' | 'WORKER_PORT' },
): Promise<string> {
  try {
    return await app.listen({ host, port })
  } catch (error) {
    const { code = '' } = error as NodeJS.ErrnoException
    if (!/^E(ADDRINUSE|ADDRNOTAVAIL|ACCES|NOTFOUND)$/.test(code)) throw error
    const reason = code === 'EADDRINUSE' ? 'something else listens there' : code
    throw new ConfigError([
      `HOST, ${variable}: expected a free address, got ${host}:${port}: ${reason}; ` +
        `set ${variable} to another one, or to 0 for any that is free`,
    ])
  }
}
