/** From whom the bytes come that a fault strikes. */
export type Side = 'server' | 'client'

/** How a store says that it cannot: by its code, "Error responses", S3 API reference. */
export type StoreAnswer = 'InternalError' | 'ServiceUnavailable' | 'SlowDown'

/** What happens to a connection. */
export type FaultKind =
  /** Closed in order: all that came before arrives, then a FIN, to both sides. */
  | { readonly then: 'drop' }
  /** Reset: an RST to both sides. */
  | { readonly then: 'reset' }
  /**
   * Silent: nothing passes any more, not even that the other side has closed. What was held back
   * passes once the proxy is healed. A connection that is silent for good stays so, both ways, as one
   * that a router has forgotten: healing tells the server by an RST, and the client by nothing.
   */
  | { readonly then: 'stall'; readonly forGood?: boolean }
  /** Every chunk so much later, ms. */
  | { readonly then: 'delay'; readonly ms: number }
  | { readonly then: 'throttle'; readonly bytesPerSecond: number }
  /**
   * For HTTP: requests that begin from now on are answered by the proxy, and their connections
   * closed; so many of them, by default all. A request that is under way is left alone.
   */
  | { readonly then: 'answer'; readonly answer: StoreAnswer; readonly requests?: number }

/** A fault, and where on a connection it begins. */
export type Fault = FaultKind & {
  /** Whose bytes it strikes; default the server's. */
  readonly from?: Side | 'both'
  /**
   * So many bytes of that side still pass before it begins; default none. With `drop` this is a
   * truncation.
   */
  readonly afterBytes?: number
}
