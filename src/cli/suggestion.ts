import { basename, relative, sep } from "node:path"
import { GLOBAL_OPTIONS } from "./arguments.js"
import type { Option, Words } from "./command.js"
import { printable } from "./text.js"

/** Makes command lines to try next, which call the program as it was called and open the same store in the same way. */
export function suggestions(from: NodeJS.Process, words: Words): (...next: readonly string[]) => string {
  const program = programName(from)
  const same = GLOBAL_OPTIONS.flatMap((option) => given(option, words))
  return (...next) => [program, ...next.map(quote), ...same].join(" ")
}

/** "treeshot" where it is installed, else how node was told to run it. */
function programName(from: NodeJS.Process): string {
  const script = from.argv[1] ?? ""
  if (!basename(script).startsWith("main.") || script.split(sep).includes("node_modules")) return "treeshot"
  return `node ${quote(nearPath(script, from))}`
}

function nearPath(path: string, from: NodeJS.Process): string {
  try {
    const near = relative(from.cwd(), path)
    return near.startsWith("..") ? path : near
  } catch {
    // The current folder is gone.
    return path
  }
}

function given({ usage }: Option, words: Words): string[] {
  if (usage === "--json") return []
  const spelling = usage.split(" ")[0] as string
  const name = spelling.replace(/^-+/, "")
  if (!usage.includes("<")) return words.has(name) ? [spelling] : []
  const glue = (value: string): string => (value.startsWith("-") && spelling.startsWith("--") ? "=" : " ")
  return words.values(name).map((value) => `${spelling}${glue(value)}${quote(value)}`)
}

/** A word as a POSIX shell takes it. */
function quote(word: string): string {
  return /^[\w./:@=+,~-]+$/.test(word) ? word : `'${printable(word).replaceAll("'", "'\\''")}'`
}
