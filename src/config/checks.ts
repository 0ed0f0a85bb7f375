/** What a variable of the environment may hold: text in, a value or a problem out. */
import { z } from 'zod'
import { got } from '../runtime/describe-issues.ts'

export const custom = (context: z.RefinementCtx, message: string) => {
  context.addIssue({ code: 'custom', message })
  return z.NEVER
}

export const integer = (fallback: number, min: number, max: number) =>
  z
    .string()
    .default(String(fallback))
    .transform((text, context) => {
      const value = /^\d+$/.test(text) ? Number(text) : NaN
      return value >= min && value <= max
        ? value
        : custom(context, `expected a whole number from ${min} to ${max}, got ${got(text)}`)
    })

export const boolean = (fallback: boolean) =>
  z
    .enum(['true', 'false'])
    .default(fallback ? 'true' : 'false')
    .transform((text) => text === 'true')

export const urlOf = (protocols: readonly string[], user: 'with user' | 'without user') => {
  const forms = protocols.map((protocol) => `${protocol}//`).join(' or ')
  const wanted = `expected a URL that begins with ${forms}`
  return z.string({ error: wanted }).transform((text, context) => {
    const url = URL.canParse(text) ? new URL(text) : undefined
    // the value is never shown: it may hold a password
    if (url === undefined || !protocols.includes(url.protocol)) return custom(context, wanted)
    if (user === 'without user' && url.username + url.password !== '') {
      return custom(context, `${wanted}, without a user or password in it`)
    }
    return text
  })
}

/** `host:port,host:port,…` as a list; a host alone has the default port. */
export const hosts = (defaultPort: number) =>
  z.string().transform((text, context) => {
    const list = text.split(',').map((entry) => {
      const url = `tcp://${entry.trim()}`
      const { hostname, port, pathname, username } = URL.canParse(url) ? new URL(url) : noUrl
      if (hostname === '' || !['', '/'].includes(pathname) || username !== '') return undefined
      return { host: unbracketed(hostname), port: port === '' ? defaultPort : Number(port) }
    })
    const known = list.filter((entry) => entry !== undefined)
    return known.length === list.length
      ? known
      : custom(context, `expected host:port, separated by commas, got ${got(text)}`)
  })
const noUrl = { hostname: '', port: '', pathname: '', username: '' }
const unbracketed = (hostname: string) => hostname.replace(/^\[|\]$/g, '')

export const postgresUrl = urlOf(['postgres:', 'postgresql:'], 'with user')
export const httpUrl = urlOf(['http:', 'https:'], 'without user')
export const redisUrl = urlOf(['redis:', 'rediss:'], 'with user')
