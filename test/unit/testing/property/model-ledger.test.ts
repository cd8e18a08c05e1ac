import { describe, expect, it } from 'vitest'
import { cloneModel, MAX_UNKNOWN, ModelLedger } from '../../../../src/testing/property/model-ledger.js'

interface Model {
  items: string[]
}

/** Commands append a letter; the result is the whole list, or nothing where results must tell nothing. */
function ledgerOf(model: Model = { items: [] }, { silent = false } = {}) {
  const apply = ({ items }: Model, letter: string): string => {
    items.push(letter)
    return silent ? '' : items.join('')
  }
  return new ModelLedger<string, string, Model>(model, { apply, clone: cloneModel, print: String })
}
const holds = (text: string) => (model: Model) => {
  if (model.items.join('') !== text) throw new Error(`it holds ${text}, the model ${model.items.join('')}`)
}

describe('ModelLedger', () => {
  it('changes the model of the user in place while every outcome is known', () => {
    const model = { items: [] }
    const ledger = ledgerOf(model)
    ledger.acknowledged('a', 'a')
    ledger.acknowledged('b', 'ab')
    ledger.observed('a look', holds('ab'))
    expect(model).toEqual({ items: ['a', 'b'] })
    expect(ledger.candidateCount).toBe(1)
  })

  it('refuses a result that the model does not give', () => {
    const ledger = ledgerOf()
    expect(() => ledger.acknowledged('a', 'b')).toThrow('propose(a) returned b, but the model gives a')
    expect(ledger.hasFailed).toBe(true)
  })

  it('takes a command of unknown outcome as applied, as not applied, and as applied later', () => {
    for (const seen of ['b', 'ab']) {
      const ledger = ledgerOf()
      ledger.unknown('a')
      ledger.acknowledged('b', seen)
      ledger.observed('a look', holds(seen))
    }
    const late = ledgerOf()
    late.unknown('a')
    late.acknowledged('b', 'b')
    late.observed('a look', holds('b'))
    late.acknowledged('c', 'bac')
    late.observed('a look', holds('bac'))
    expect(late.candidateCount).toBe(1)
  })

  it('does not let it be applied twice, nor be taken back', () => {
    const twice = ledgerOf()
    twice.unknown('a')
    twice.acknowledged('b', 'ab')
    expect(() => twice.acknowledged('c', 'abac')).toThrow('propose(c) returned abac, but the model gives abc')
    const taken = ledgerOf()
    taken.unknown('a')
    taken.observed('a look', holds('a'))
    expect(() => taken.observed('a look', holds(''))).toThrow('a look, but it holds , the model a')
  })

  it('lets several be applied in any order', () => {
    for (const seen of ['c', 'ac', 'bc', 'abc', 'bac']) {
      const ledger = ledgerOf()
      ledger.unknown('a')
      ledger.unknown('b')
      ledger.acknowledged('c', seen)
      expect(() => ledger.acknowledged('d', `${seen}x`)).toThrow(/^propose\(d\) returned/)
    }
  })

  it('has no room for more than it can follow', () => {
    const ledger = ledgerOf()
    for (let count = 0; count < MAX_UNKNOWN; count++) {
      expect(ledger.hasRoom).toBe(true)
      ledger.unknown(`${count}`)
    }
    expect(ledger.hasRoom).toBe(false)
    ledger.observed('a look', holds('0'))
    expect(ledger.hasRoom).toBe(true)
  })

  it('keeps the model of the user as the possibility without the unknown ones, until that is ruled out', () => {
    const model: Model = { items: [] }
    const ledger = ledgerOf(model)
    ledger.unknown('a')
    ledger.acknowledged('b', 'b')
    expect(model.items).toEqual(['b'])
    ledger.acknowledged('c', 'bac')
    ledger.acknowledged('d', 'bacd')
    expect(model.items).toEqual(['b', 'c'])
  })

  it('says what to do where results and looks tell too little', () => {
    const ledger = ledgerOf(undefined, { silent: true })
    const flood = (): void => {
      for (let at = 0; at < MAX_UNKNOWN; at++) ledger.unknown(`u${at}`)
      for (let at = 0; at < 30; at++) ledger.acknowledged(`a${at}`, '')
    }
    expect(flood).toThrow(/more than 1000 states of the model are possible/)
  })
})

describe('cloneModel', () => {
  it('copies Maps, Sets and objects, and keeps the prototype of the model', () => {
    class Model {
      readonly map = new Map([['a', [1]]])
      get size(): number {
        return this.map.size
      }
    }
    const [model, map] = [new Model(), new Map([['a', { b: 1 }]])]
    const copy = cloneModel(model)
    copy.map.get('a')?.push(2)
    expect([copy.size, model.map.get('a')]).toEqual([1, [1]])
    expect(cloneModel(map)).toEqual(map)
  })

  it('says that it needs `clone` for what it can not copy', () => {
    expect(() => cloneModel({ run: () => {} })).toThrow(/give `clone`/)
  })
})
