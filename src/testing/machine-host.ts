// What a simulated process gives its state machine: time that passes, drawn from the seed. An asynchronous state machine
// waits for nothing else, so that a crash and a pause stop it like everything in its process.
import type { ProcessGate } from './process-gate.js'
import type { SimulationRandom } from './prng.js'
import type { Timeline } from './timeline.js'

export class MachineHost {
  readonly random: SimulationRandom
  readonly #timeline: Timeline
  readonly #gate: ProcessGate

  constructor(timeline: Timeline, gate: ProcessGate, random: SimulationRandom) {
    this.#timeline = timeline
    this.#gate = gate
    this.random = random
  }

  /** Resolves after `delayMs` of the simulation; never when the process died meanwhile. */
  wait(delayMs: number): Promise<void> {
    return new Promise((resolve) => {
      this.#timeline.after(delayMs, () => this.#gate.enter('work', resolve))
    })
  }
}
