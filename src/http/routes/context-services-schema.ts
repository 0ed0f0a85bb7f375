/** How the OpenAPI document shows the original operation. */
import { streamParameters } from '../../export/spec.ts'
import { answers, jsonSchema } from '../schemas.ts'

const query = jsonSchema(streamParameters, 'input')

const failure = (description: string) => ({
  description,
  content: {
    'application/json': {
      schema: {
        type: 'object',
        properties: {
          message: { type: 'string', description: 'What happened, to which value, what to do.' },
          exception: { type: 'string', description: 'A class of errors, such as SpecError.' },
        },
        required: ['message', 'exception'],
      },
    },
  },
})

const header = (description: string) => ({ type: 'string', description })

export const streamRouteSchema = {
  summary: 'Export services to JSON stream by date: the operation of Context Services',
  querystring: query,
  headers: {
    type: 'object',
    properties: {
      prefer: header('respond-async: a worker writes the export to the object store; 202.'),
      'accept-encoding': header('gzip: the stream is compressed.'),
      'idempotency-key': header('With respond-async, as in POST /exports.'),
    },
  },
  response: {
    200: {
      description: 'The array, as it is read.',
      content: {
        'application/json': {
          schema: {
            type: 'array',
            items: { anyOf: [{ type: 'string' }, { type: 'object' }] },
          },
        },
      },
    },
    202: answers('With Prefer: respond-async. Content-Location is the export.', 'Export'),
    400: failure('The request is wrong: the message names parameter, expected and got.'),
    429: failure('The API key asks too often. Retry-After.'),
    500: failure('An unexpected error, or one that needs the operator.'),
    503: failure('The source cannot be reached, or STREAM_CONCURRENCY streams run. Retry-After.'),
  },
}

export const headRouteSchema = { hide: true, querystring: query }
