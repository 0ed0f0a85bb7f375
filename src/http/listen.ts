import type { FastifyInstance } from 'fastify'
import { ConfigError } from '../errors.ts'

/**
 * Begins to answer.
 * @returns where, as a URL
 * @throws ConfigError when host and port cannot be had
 */
export async function listen(
  app: FastifyInstance,
  { host, port }: { readonly host: string; readonly port: number },
): Promise<string> {
  try {
    return await app.listen({ host, port })
  } catch (error) {
    const { code = '' } = error as NodeJS.ErrnoException
    if (!/^E(ADDRINUSE|ADDRNOTAVAIL|ACCES|NOTFOUND)$/.test(code)) throw error
    const reason = code === 'EADDRINUSE' ? 'something else listens there' : code
    throw new ConfigError([
      `HOST, PORT: expected a free address, got ${host}:${port}: ${reason}; set PORT to another one`,
    ])
  }
}
