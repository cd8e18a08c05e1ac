// The commands by which a cluster shows that it lives. They depend on nothing that came before, so that a run and its plan
// write the same; and they are unlike all others of the run.

/** Above every number that clients of a run come to. */
const FIRST_NUMBER = 2 ** 31

/** Of one run. */
export class LivenessCommands {
  #count = 0

  /** A command that was never proposed before. */
  next(): Uint8Array {
    const command = new Uint8Array(4)
    new DataView(command.buffer).setUint32(0, FIRST_NUMBER + this.#count)
    this.#count += 1
    return command
  }
}
