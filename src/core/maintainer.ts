import type { OnProgress } from "./progress.js"

/** How to run maintenance. */
export interface MaintainerOptions {
  readonly signal?: AbortSignal | undefined
  readonly onProgress?: OnProgress | undefined
  /** Does not keep the process alive. */
  readonly isBackground?: boolean
}

/** Port: runs maintenance of the store in `gitdir` beside the calling thread. Undefined, with nothing done: it cannot. */
export type Maintainer<Report> = (gitdir: string, options: MaintainerOptions) => Promise<Report | undefined>
