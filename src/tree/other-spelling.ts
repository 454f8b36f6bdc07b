import type { FileStat } from "../core/file-system.js"

/** Paths that some file systems take for the same: they differ in letter case, or in how Unicode composes them. */
export interface Spellings {
  /** Those that are other spellings of `path`. */
  others(path: string): readonly string[]
}

export function spellings(paths: Iterable<string>): Spellings {
  const byFold = new Map<string, string[]>()
  for (const path of paths) {
    const same = byFold.get(fold(path))
    if (same === undefined) byFold.set(fold(path), [path])
    else same.push(path)
  }
  return { others: (path) => (byFold.get(fold(path)) ?? []).filter((other) => other !== path) }
}

/** Whether two looks saw one file. */
export function isSameFile(a: FileStat | undefined, b: FileStat | undefined): boolean {
  return a !== undefined && b !== undefined && a.inode === b.inode && a.device === b.device
}

function fold(path: string): string {
  return path.normalize("NFC").toLowerCase()
}
