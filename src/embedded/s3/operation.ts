import type { Reply, S3Request } from './s3-request.ts'
import type { Store } from './store.ts'

export interface OperationDeps {
  readonly store: Store
  readonly region: string
}

/** One operation of the protocol. The signature has been checked; the body has not been read. */
export type Operation = (deps: OperationDeps, request: S3Request) => Reply | Promise<Reply>

/** Who owns everything here: S3 wants an owner in its answers. */
export const owner = { ID: 'longhaul', DisplayName: 'longhaul' } as const
