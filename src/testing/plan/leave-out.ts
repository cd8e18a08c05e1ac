// One pass over a list that leaves parts of it out: the step that every shrinking here is made of.

export interface LeaveOut<Item> {
  readonly items: readonly Item[]
  /** In how many parts the list is cut; each is left out once. */
  readonly divisor: number
  /** Whether it still fails with these alone. */
  readonly failsWith: (kept: readonly Item[]) => Promise<boolean>
}

/** What is left; the last part goes first, because what comes late is the least likely to matter. */
export async function leaveOut<Item>({ items, divisor, failsWith }: LeaveOut<Item>): Promise<readonly Item[]> {
  const size = Math.max(1, Math.ceil(items.length / divisor))
  let kept = items.map((item, at) => ({ item, at }))
  for (let end = items.length; end > 0; end -= size) {
    const rest = kept.filter(({ at }) => at < end - size || at >= end)
    if (rest.length < kept.length && (await failsWith(rest.map(({ item }) => item)))) kept = rest
  }
  return kept.map(({ item }) => item)
}
