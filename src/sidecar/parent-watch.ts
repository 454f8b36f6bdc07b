/** A process, as far as its parent is concerned. */
export interface ParentSource {
  readonly platform: string
  readonly ppid: number
  /** As process.kill: signal 0 only asks whether it is there. Throws when it is not. */
  kill(pid: number, signal: 0): unknown
}

/**
 * Calls `onGone` once the parent has gone, looking every so often. Gives what ends the watch. It holds nobody's end up.
 *
 * A process without a parent gets another one on POSIX. On Windows it keeps the number of the one that has gone.
 */
export function watchParent(source: ParentSource, everyMs: number, onGone: () => void): () => void {
  const parent = source.ppid
  const timer = setInterval(() => {
    if (source.ppid === parent && !(source.platform === "win32" && isGone(source, parent))) return
    clearInterval(timer)
    onGone()
  }, everyMs)
  timer.unref()
  return () => clearInterval(timer)
}

function isGone(source: ParentSource, pid: number): boolean {
  try {
    source.kill(pid, 0)
    return false
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "ESRCH"
  }
}
