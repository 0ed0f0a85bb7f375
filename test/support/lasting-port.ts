import { randomInt } from 'node:crypto'
import { freePort } from '../../src/embedded/free-port.ts'
import { createDice, type Dice } from './dice.ts'

/**
 * A loopback port that stays ours while nobody listens on it: below those that the system gives to
 * outgoing connections, of which there are many, and to servers that leave the choice to it.
 */
export async function lastingPort(
  dice: Pick<Dice, 'between'> = createDice(randomInt(2 ** 32)),
): Promise<number> {
  for (;;) {
    const port = dice.between(20_000, 32_000)
    if ((await freePort(port)) === port) return port
  }
}
