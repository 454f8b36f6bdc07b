/** What one run of a contender gave. Times are those of the work alone: imports and the start of Node are not in them. */
export interface Measured {
  /** The oid of the tree that it made; undefined of a contender that makes none. */
  readonly tree?: string
  /** From an empty folder to a stored tree. */
  readonly coldMs: number
  /** The same once more, with nothing changed since. */
  readonly againMs?: number
  /** The most memory that the process held up to the end of the cold run; undefined where others did the work. */
  readonly peakRssBytes?: number
}

/** A way to make a tree object of a folder. */
export interface Contender {
  /** Runs once, in a process of its own. `scratch` is an empty folder for whatever it stores. */
  run(tree: string, scratch: string): Promise<Measured>
}

/** The most memory that this process has held so far. */
export function peakRssBytes(): number {
  return process.resourceUsage().maxRSS * 1024
}
