/** Where a contender works. */
export interface Place {
  readonly worktree: string
  /** A folder that is its own; not there before the first `open`. */
  readonly gitdir: string
  /** The gitdir of the user's own repository in the work tree, where there is one. */
  readonly seed?: string
  /** The files that are edited between captures. Only the floor may use them. */
  readonly edited: readonly string[]
}

/** A stored state of the work tree. */
export interface Captured {
  /** What the contender's own calls take. */
  readonly id: string
  /** The oid of its tree; undefined of a contender that makes none. */
  readonly tree?: string
}

/** What a comparison found. */
export interface Compared {
  readonly files: number
  readonly additions: number
  readonly deletions: number
}

/** A store at work. Calls come one after the other. */
export interface Session {
  capture(): Promise<Captured>
  /** Compares with patches. What it gives counts the patches when it is called: counting is in nobody's time. */
  diff?(from: Captured, to: Captured): Promise<() => Compared>
  /** Comes before the first capture where that is in nobody's time; whatever makes later ones as fast as they get. */
  settle?(): Promise<void>
  /** Makes the work tree what it was. */
  restore?(to: Captured): Promise<void>
  /** Makes the store small and fast to read again, and keeps these states. */
  tidy?(states: readonly Captured[]): Promise<void>
  close(): Promise<void>
}

/** A way to keep states of a folder. */
export interface Contender {
  /** Opens the store at `place.gitdir`, which is made when it is not there. */
  open(place: Place): Promise<Session>
}

/** A module of a contender. Importing it must cost what its library costs, and nothing else. */
export interface ContenderModule {
  readonly contender: Contender
}
