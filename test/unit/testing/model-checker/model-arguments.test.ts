import { describe, expect, it } from 'vitest'
import { parseModelArguments } from '../../../../src/testing/model-checker/model-arguments.js'
import { DEEP_MODELS, MODELS } from '../../../../src/testing/model-checker/models.js'

const namesOf = (...argv: string[]) => parseModelArguments(argv).models.map(({ name }) => name)

describe('the command line of modelcheck', () => {
  it('takes every model of a push without arguments, and the others with --deep', () => {
    expect(namesOf()).toEqual(MODELS.map(({ name }) => name))
    expect(namesOf('--deep')).toEqual([...MODELS, ...DEEP_MODELS].map(({ name }) => name))
  })

  it('takes the models that are named, also of the deep tier', () => {
    expect(namesOf('--model', 'one-voter', '--model', 'replication-slow')).toEqual(['one-voter', 'replication-slow'])
  })

  it('takes the model that finds the removed guard, unless one is named', () => {
    expect(namesOf('--bug', 'commit-old-term')).toEqual(['figure-8'])
    expect(namesOf('--bug', 'commit-old-term', '--model', 'elections')).toEqual(['elections'])
  })

  it.each([
    [['--model', 'none-such'], /--model is 'none-such'/],
    [['--bug', 'none-such'], /--bug is 'none-such'/],
    [['--deep', '--model', 'elections'], /--deep and --model/],
    [['--seeds', '3'], /--seeds/],
    [['elections'], /elections/],
  ])('refuses %o', (argv, message) => {
    expect(() => parseModelArguments(argv)).toThrow(message)
  })
})
