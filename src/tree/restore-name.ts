import { randomHex } from "../core/random.js"

/** Names for files that a restore keeps for the moment. A name tells whose it is, also to whoever finds it later. */
export interface RestoreNames {
  /** What all of them begin with: hex digits. */
  readonly start: string
  /** A name that was not given before, for a file that is to come to a path. */
  staged(path: string): string
  /** The same for one that was there. */
  aside(path: string): string
  /** What such a name was given for; undefined for any other name. */
  read(name: string): { readonly path: string; readonly isAside: boolean } | undefined
}

/** Names for files at `paths`, of which none comes twice. Those of one restore begin with `start`. */
export function restoreNames(paths: readonly string[], start: string = randomHex(9)): RestoreNames {
  const indexes = new Map(paths.map((path, i) => [path, i]))
  // Those of a process that was killed may still stand.
  let count = Number.parseInt(randomHex(3), 16)
  const next = (path: string, role: string): string =>
    `${PREFIX}${start}${hex(indexes.get(path) ?? paths.length)}${role}${hex(count++).slice(-COUNT_DIGITS)}`
  return {
    start,
    staged: (path) => next(path, STAGED),
    aside: (path) => next(path, ASIDE),
    read(name) {
      if (!isRestoreName(name) || !name.startsWith(PREFIX + start)) return undefined
      const index = PREFIX.length + START_DIGITS
      const path = paths[Number.parseInt(name.slice(index, index + INDEX_DIGITS), 16)]
      return path === undefined ? undefined : { path, isAside: name[index + INDEX_DIGITS] === ASIDE }
    },
  }
}

/** Whether `name` is of the form that restores keep for themselves. */
export function isRestoreName(name: string): boolean {
  return /^\.treeshot-[0-9a-f]{32}$/.test(name)
}

const PREFIX = ".treeshot-"
const START_DIGITS = 18
const INDEX_DIGITS = 8
const COUNT_DIGITS = 5
const STAGED = "0"
const ASIDE = "1"

function hex(number: number): string {
  return number.toString(16).padStart(INDEX_DIGITS, "0")
}
