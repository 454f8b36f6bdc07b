/** A bounded amount of something, such as bytes in memory, that many share. */
export interface Budget {
  /**
   * Resolves when `amount` is free, in the order of the calls; more than there is in all waits for all of it. Call what it
   * gives to free it again, once.
   */
  take(amount: number): Promise<() => void>
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
    async take(wanted) {
      const amount = Math.min(wanted, total)
      await new Promise<void>((begin) => {
        waiting.push({ amount, begin })
        admit()
      })
      return () => {
        free += amount
        admit()
      }
    },
  }
}
