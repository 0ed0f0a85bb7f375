import { S3Error } from './s3-error.ts'

/** What stands inside an element: text, or further elements by their names. */
export type XmlContent = string | number | boolean | { readonly [name: string]: XmlValue }

/** A list repeats the element, and `undefined` leaves it out. */
export type XmlValue = XmlContent | undefined | readonly XmlValue[]

const declaration = '<?xml version="1.0" encoding="UTF-8"?>\n'
const namespace = 'http://s3.amazonaws.com/doc/2006-03-01/'

/** A whole answer, in S3's namespace. */
export function xmlDocument(root: string, content: XmlContent): string {
  return `${declaration}<${root} xmlns="${namespace}">${inside(content)}</${root}>`
}

/** An error has no namespace. */
export function errorDocument(content: XmlContent): string {
  return `${declaration}<Error>${inside(content)}</Error>`
}

function inside(content: XmlContent): string {
  if (typeof content !== 'object') return escape(String(content))
  return Object.entries(content)
    .map(([name, value]) => element(name, value))
    .join('')
}

function element(name: string, value: XmlValue): string {
  if (value === undefined) return ''
  if (isList(value)) return value.map((item) => element(name, item)).join('')
  return `<${name}>${inside(value)}</${name}>`
}

function isList(value: XmlValue): value is readonly XmlValue[] {
  return Array.isArray(value)
}

function escape(text: string): string {
  // control characters are lawful in keys; a reference is the nearest that XML has to them
  return text.replace(/[&<>"\u0000-\u001f\u007f]/g, (character) => {
    return named[character] ?? `&#${character.charCodeAt(0)};`
  })
}

const named: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
}

export interface XmlElement {
  readonly name: string
  readonly children: readonly XmlElement[]
  readonly text: string
}

interface OpenElement extends XmlElement {
  readonly children: XmlElement[]
  text: string
}

/** Reads a small document: elements, text and references. Anything cleverer is MalformedXML. */
export function parseXml(document: string): XmlElement {
  const token = /<\?[^>]*\?>|<!--[\s\S]*?-->|<(\/?)([\w:.-]+)([^<>]*?)(\/?)>|([^<]+)/gy
  const top: OpenElement = { name: '', children: [], text: '' }
  const open = [top]
  const input = document.replace(/^\uFEFF/, '')
  while (token.lastIndex < input.length) {
    const match = token.exec(input)
    const current = open.at(-1)
    if (match === null || current === undefined) throw new S3Error('MalformedXML')
    const [, closing, tag, , selfClosing, text] = match
    if (text !== undefined) current.text += unescape(text)
    if (tag === undefined) continue
    const name = tag.replace(/^.*:/, '')
    if (closing === '/') {
      if (current.name !== name || open.length === 1) throw new S3Error('MalformedXML')
      open.pop()
      continue
    }
    const child: OpenElement = { name, children: [], text: '' }
    current.children.push(child)
    if (selfClosing !== '/') open.push(child)
  }
  const [root, ...more] = top.children
  if (root === undefined || more.length > 0 || open.length > 1 || top.text.trim() !== '') {
    throw new S3Error('MalformedXML')
  }
  return root
}

function unescape(text: string): string {
  return text.replace(/&(?:#x([0-9a-fA-F]+)|#(\d+)|(\w+));/g, (_, hex, decimal, name) => {
    if (typeof name === 'string') return plain[name] ?? malformedReference()
    const code = typeof hex === 'string' ? Number.parseInt(hex, 16) : Number(decimal)
    return code > 0x10ffff ? malformedReference() : String.fromCodePoint(code)
  })
}

const plain: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'" }

function malformedReference(): never {
  throw new S3Error('MalformedXML')
}

/** The text of a child, if there is one. */
export function childText(parent: XmlElement, name: string): string | undefined {
  return parent.children.find((child) => child.name === name)?.text
}
