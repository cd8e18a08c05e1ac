import { describe, expect, it } from 'vitest'
import { ProcessGate } from '../../../src/testing/process-gate.js'
import { Timeline } from '../../../src/testing/timeline.js'

describe('ProcessGate', () => {
  it.each([0, 1, 5])('ends a process in place of the effect that follows the next %d', (effectCount) => {
    const gate = new ProcessGate(new Timeline())
    gate.effect()
    gate.stopAfter(effectCount, () => gate.kill())
    let done = 0
    for (; done < 20; done++) {
      gate.effect()
      if (gate.isDead) break
    }
    expect(done).toBe(effectCount)
    expect(gate.effectCount).toBe(1 + effectCount)
  })

  it('counts nothing that a dead process attempts', () => {
    const gate = new ProcessGate(new Timeline())
    gate.kill()
    gate.effect()
    expect(gate.effectCount).toBe(0)
  })
})
