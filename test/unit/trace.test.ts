import { context, propagation, trace } from '@opentelemetry/api'
import { W3CTraceContextPropagator } from '@opentelemetry/core'
import {
  InMemorySpanExporter,
  NodeTracerProvider,
  SimpleSpanProcessor,
} from '@opentelemetry/sdk-trace-node'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { SourceError } from '../../src/errors.ts'
import {
  activeSpanFields,
  activeTraceparent,
  collectsSpans,
  inActiveSpan,
  inSpan,
  inTraceOf,
} from '../../src/runtime/trace.ts'

const collected = new InMemorySpanExporter()
const known = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01'

const noWork = () => Promise.resolve()
const spanNamed = (name: string) => collected.getFinishedSpans().find((span) => span.name === name)!

it('does nothing where nothing is collected', async () => {
  expect(await inSpan('any', {}, () => Promise.resolve(activeTraceparent()))).toBeUndefined()
  expect(inTraceOf(known, activeTraceparent)).toBeUndefined()
  expect(activeSpanFields()).toEqual({})
  expect(collectsSpans()).toBe(false)
})

describe('where spans are collected', () => {
  beforeAll(() => {
    const provider = new NodeTracerProvider({
      spanProcessors: [new SimpleSpanProcessor(collected)],
    })
    provider.register({ propagator: new W3CTraceContextPropagator() })
  })
  afterAll(() => {
    trace.disable()
    context.disable()
    propagation.disable()
  })
  afterEach(() => collected.reset())

  it('somebody can see that, and no span comes of it', () => {
    expect(collectsSpans()).toBe(true)
    expect(collected.getFinishedSpans()).toEqual([])
  })

  it('a span that fails says with what, and passes it on', async () => {
    const error = new SourceError('SOURCE_UNAVAILABLE', 'The source is away.')
    await expect(inSpan('work', {}, () => Promise.reject(error))).rejects.toBe(error)
    const { status, attributes, events } = spanNamed('work')
    expect(status).toEqual({ code: 2, message: 'The source is away.' })
    expect(attributes).toEqual({ 'error.type': 'SOURCE_UNAVAILABLE' })
    expect(events.map(({ name }) => name)).toEqual(['exception'])
  })

  it('a trace is joined by its traceparent, and left without one', async () => {
    await inSpan('other', {}, async () => {
      await inTraceOf(known, () => inSpan('joins', {}, noWork))
      await inTraceOf(undefined, () => inSpan('own', {}, noWork))
      await inTraceOf('nonsense', () => inSpan('lost', {}, noWork))
    })
    expect(spanNamed('joins').spanContext().traceId).toBe('0af7651916cd43dd8448eb211c80319c')
    expect(spanNamed('joins').parentSpanContext?.spanId).toBe('b7ad6b7169203331')
    expect(spanNamed('own').parentSpanContext).toBeUndefined()
    expect(spanNamed('lost').parentSpanContext).toBeUndefined()
  })

  it('items are produced within the span that they were asked for in, whoever takes them', async () => {
    let ended = false
    async function* produce() {
      try {
        for (;;) {
          await inSpan('produce', {}, noWork)
          yield 1
        }
      } finally {
        await inSpan('clean up', {}, noWork)
        ended = true
      }
    }
    await inSpan('asked', {}, async () => {
      const items = inActiveSpan(produce())
      await inSpan('taken', {}, async () => {
        for await (const item of items) if (item === 1) break
      })
    })
    expect(ended).toBe(true)
    const asked = spanNamed('asked').spanContext().spanId
    expect(spanNamed('produce').parentSpanContext?.spanId).toBe(asked)
    expect(spanNamed('clean up').parentSpanContext?.spanId).toBe(asked)
  })

  it('a line of the log can say where it belongs', async () => {
    const fields = await inSpan('work', {}, () => Promise.resolve(activeSpanFields()))
    const { traceId, spanId } = spanNamed('work').spanContext()
    expect(fields).toEqual({ trace_id: traceId, span_id: spanId })
  })
})
