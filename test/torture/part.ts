/** A server of the system that can be killed and started again. */
export interface Part {
  readonly name: string
  isUp(): boolean
  /** SIGKILL; resolves when the process is gone. */
  kill(): Promise<void>
  start(): Promise<void>
}
