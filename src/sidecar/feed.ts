/** Hands pieces from one side to the other, one at a time. */
export interface Feed extends AsyncIterable<Uint8Array> {
  /** Resolves once the other side has taken the piece; false when it takes nothing more. */
  put(piece: Uint8Array): Promise<boolean>
  /** Nothing more comes. */
  end(): void
}

/** An empty feed. One side puts, one at a time; the other iterates, once. */
export function feed(): Feed {
  let waiting: { readonly piece: Uint8Array; readonly taken: (isTaken: boolean) => void } | undefined
  let wake: (() => void) | undefined
  let isClosed = false
  const signal = (): void => {
    wake?.()
    wake = undefined
  }
  const close = (): void => {
    isClosed = true
    waiting?.taken(false)
    waiting = undefined
    signal()
  }
  const done = { done: true, value: undefined } as const
  return {
    put(piece) {
      if (isClosed) return Promise.resolve(false)
      return new Promise((resolve) => {
        waiting = { piece, taken: resolve }
        signal()
      })
    },
    end: close,
    [Symbol.asyncIterator]: () => ({
      async next() {
        while (waiting === undefined) {
          if (isClosed) return done
          await new Promise<void>((resolve) => void (wake = resolve))
        }
        const { piece, taken } = waiting
        waiting = undefined
        taken(true)
        return { done: false, value: piece }
      },
      async return() {
        close()
        return done
      },
    }),
  }
}
