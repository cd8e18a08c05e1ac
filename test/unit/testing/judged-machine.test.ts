import { describe, expect, it } from 'vitest'
import type { StateMachine } from '../../../src/interfaces/state-machine.js'
import { Invariants } from '../../../src/testing/invariants.js'
import { JudgedMachine } from '../../../src/testing/judged-machine.js'
import { ProcessGate } from '../../../src/testing/process-gate.js'
import { Timeline } from '../../../src/testing/timeline.js'

const inner: StateMachine<string, string> = {
  apply: (command) => command,
  snapshot: () => Promise.reject(new Error('no snapshots here')),
  restore: () => Promise.reject(new Error('no snapshots here')),
}

function applyOne(isDead: boolean): string | null {
  const timeline = new Timeline()
  const [invariants, gate] = [new Invariants(timeline, new Map()), new ProcessGate(timeline)]
  const machine = new JudgedMachine({ id: 'a', inner, invariants, gate, onApplied: () => {} })
  if (isDead) gate.kill()
  void machine.apply('one', { index: 1, term: 1, timestamp: 0 })
  return invariants.violation
}

describe('JudgedMachine', () => {
  it('judges what a process applies', () => {
    expect(applyOne(false)).toMatch(/applied entry 1 of term 1, which is not committed/)
  })

  it('leaves alone what a process still applies in the turn in which it died', () => {
    expect(applyOne(true)).toBeNull()
  })
})
