import type { AroundCall, FileSystemCall } from "./faulty-file-system.js"

/** Holds up calls of a file system. */
export interface Gate {
  readonly around: AroundCall
  /** From now on the first call for which `matches` gives true waits. Resolves when one does. */
  close(matches: (call: FileSystemCall) => boolean): Promise<void>
  /** Lets it go on. */
  open(): void
}

/** A gate that is open. */
export function gate(): Gate {
  let closed: { readonly matches: (call: FileSystemCall) => boolean; readonly reached: () => void } | undefined
  let open = (): void => {}
  return {
    async around(call, make) {
      if (closed?.matches(call) === true) {
        const opened = new Promise<void>((resolve) => (open = resolve))
        closed.reached()
        closed = undefined
        await opened
      }
      return make()
    },
    close: (matches) => new Promise((reached) => (closed = { matches, reached })),
    open: () => open(),
  }
}
