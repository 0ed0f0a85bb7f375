/** The vocabulary of the seed: what people call things, write, and get wrong in a contact centre. */

type Words = readonly [string, ...string[]]

export const serviceTypes: Words = [
  'MyService1',
  '100',
  '200',
  'Callback',
  'Claim',
  'Mortgage request',
  'Lost card',
  'Umzug',
  '引越し',
]

/** State types run from customer identification (1) to delivering (10). */
export const stateTypes: Words = ['1', '2', '3', '4', '5', '6', '7', '8', '9', '10']

export const taskTypes: Words = [
  'Verify identity',
  'Call back',
  'Send form',
  'Check credit',
  'Approve',
  'Rückruf',
  '42',
  '7',
]

/** Code and description of how something ended. */
export const dispositions: readonly [readonly [string, string], ...(readonly [string, string])[]] =
  [
    ['1', 'Done'],
    ['2', 'Customer hung up'],
    ['3', 'Passed on to "second line"'],
    ['4', 'Kunde zurückgerufen, erledigt'],
    ['OK', 'Solved on the first call'],
    ['NOK', 'Not solved: form C:\\forms\\21a is missing'],
    ['7', ''],
  ]

export const places: Words = [
  'Brest',
  'Zürich',
  'Łódź',
  'São Paulo',
  'القاهرة',
  '東京',
  'Reykjavík',
]

export const offers: Words = [
  'Gold card',
  'Travel insurance',
  'Fibre 1000',
  'Night tariff',
  'Second SIM',
]

export const offerTypes: Words = ['voucher', 'discount', 'upgrade', 'trial']

export const words: Words = [
  'customer',
  'called',
  'about',
  'the',
  'invoice',
  'from',
  'last',
  'month',
  'and',
  'asked',
  'for',
  'a',
  'refund',
  'agent',
  'promised',
  'to',
  'call',
  'back',
  'before',
  'Friday',
  'contract',
  'was',
  'moved',
  'address',
  'line',
  'very',
  'friendly',
  'waited',
  'too',
  'long',
  'router',
  'does',
  'not',
  'connect',
]

/** Text that breaks whoever escapes, measures, orders or splits by hand. */
export const oddTexts: Words = [
  'says "no", then "yes"',
  'C:\\temp\\new\\u0041.txt',
  'first line\nsecond line\r\n\tindented',
  'bell \u0007, escape \u001b, unit \u001f, delete \u007f',
  'separators \u2028 and \u2029',
  'astral 😀 👩‍👩‍👧‍👦 𝒳 𠮷',
  'right to left: שלום, مرحبا \u202eback\u202c',
  'combining: e\u0301 a\u0308\u0323 is not é ạ̈',
  'mark \ufeff, noncharacter \uffff, private \ue000',
  ']},{"service_id":"forged"}',
  '</script><!-- & &amp; -->',
  "'; drop table services; --",
  '%s ${HOME} $1 {{x}}',
  '   ',
  '',
]

/** Names of extensions that need quoting, or none at all. */
export const oddNames: Words = [
  '',
  'a.b',
  'say "hi"',
  'back\\slash',
  'größe',
  '评分',
  '😀',
  'line\nfeed',
  '0',
]

/** Put before some ids: opaque text, whose order by bytes is no locale's order. */
export const idPrefixes: Words = [
  'A-',
  'a-',
  'B ',
  'Z/',
  '_',
  '~',
  '"q" ',
  "o'clock ",
  'back\\',
  'été-',
  'e\u0301te\u0301-',
  'Ω/',
  '問い ',
  '😀',
  '\uff21-',
]

/** Put before the ids of some states and tasks, which are otherwise "0", "1", and so on. */
export const partPrefixes: Words = ['step ', 'Schritt-', '"', 'é/', '']
