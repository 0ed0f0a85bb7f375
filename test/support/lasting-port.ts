import { freePort } from '../../src/embedded/free-port.ts'
import type { Dice } from './dice.ts'

/**
 * A loopback port that stays ours while nobody listens on it: below those that the system gives to
 * outgoing connections, of which there are many.
 */
export async function lastingPort(dice: Dice): Promise<number> {
  for (;;) {
    const port = dice.between(20_000, 32_000)
    if ((await freePort(port)) === port) return port
  }
}
