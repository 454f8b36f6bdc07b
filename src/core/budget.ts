/** A bounded amount of something, such as bytes in memory, that many share. */
export interface Budget {
  /**
   * Runs `step` when `amount` is free, in the order of the calls, and frees it after. More than there is in all waits for
   * all of it.
   */
  spend<Value>(amount: number, step: () => Promise<Value>): Promise<Value>
}

export function budget(total: number): Budget {
  const waiting: { readonly amount: number; readonly begin: () => void }[] = []
  let free = total

  function admit(): void {
    for (let next = waiting[0]; next !== undefined && next.amount <= free; next = waiting[0]) {
      waiting.shift()
      free -= next.amount
      next.begin()
    }
  }

  return {
    async spend(wanted, step) {
      const amount = Math.min(wanted, total)
      await new Promise<void>((begin) => {
        waiting.push({ amount, begin })
        admit()
      })
      try {
        return await step()
      } finally {
        free += amount
        admit()
      }
    },
  }
}
