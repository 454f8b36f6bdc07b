import type { OpenOptions } from "../snapshot-store.js"
import type { Option, Words } from "./command.js"
import { choice, sizeBytes, wrongUse } from "./values.js"

/** The options of every command, which say what to open and how. */
export const OPEN_OPTIONS: readonly Option[] = [
  { usage: "-C <folder>", text: "The folder (default: the repository's top, or this)" },
  { usage: "--store <gitdir>", text: "The store's folder (default: in your data folder)" },
  { usage: "--backend <kind>", text: "pure (default) or native: what builds the trees" },
  { usage: "--workspace <name>", text: "Name of the folder in a store that several share" },
  { usage: "--include <glob>", text: "Only matching files", repeatable: true },
  { usage: "--exclude <pattern>", text: "Leave out, as a line of .gitignore does", repeatable: true },
  { usage: "--new-file-limit <size>", text: "Leave out new files above this (default: 2MiB)" },
  { usage: "--durability <kind>", text: "power (default) or process: what it survives" },
  { usage: "--allow-any-root", text: "Take /, the home folder or a drive's root" },
]

/** How to open the store that the command line names, all but the work tree. */
export function openOptionsOf(words: Words): Omit<OpenOptions, "worktree"> {
  for (const option of ["C", "store", "workspace", "include", "exclude"])
    if (words.values(option).includes("")) throw wrongUse(option, `${option === "C" ? "-C" : `--${option}`} is empty.`)
  const gitdir = words.value("store")
  const workspace = words.value("workspace")
  const newFileLimitBytes = sizeBytes(words, "new-file-limit")
  const backend = choice(words, "backend", ["pure", "native"])
  const durability = choice(words, "durability", ["power", "process"])
  return {
    ...(gitdir !== undefined && { gitdir }),
    ...(backend !== undefined && { backend }),
    ...(workspace !== undefined && { workspace }),
    ...(words.has("include") && { include: words.values("include") }),
    ...(words.has("exclude") && { exclude: words.values("exclude") }),
    ...(newFileLimitBytes !== undefined && { newFileLimitBytes }),
    ...(durability !== undefined && { durability }),
    ...(words.has("allow-any-root") && { allowAnyRoot: true }),
  }
}

/** The words that open the same store in the same way, all but the work tree: for another process. */
export function openWords(words: Words): string[] {
  return OPEN_OPTIONS.flatMap(({ usage }) => {
    const spelling = usage.split(" ")[0] as string
    const name = spelling.replace(/^-+/, "")
    if (name === "C") return []
    if (!usage.includes("<")) return words.has(name) ? [spelling] : []
    return words.values(name).map((value) => `${spelling}=${value}`)
  })
}
