import type { FileStat, FileSystem } from "../core/file-system.js"
import { isFresh } from "../core/stable-read.js"

/** A file system that notes what it is asked, so that it can be told later whether it would answer the same. */
export interface WatchedReads {
  readonly fileSystem: FileSystem
  /** All answers in brief; undefined when some may change without showing. */
  stamp(): Promise<string | undefined>
}

/** Watches reads of single files. Folders are noted as being there; what is in them is not. */
export function watchedReads(fileSystem: FileSystem, nowMs: () => number): WatchedReads {
  const noted = new Map<string, Promise<string>>()
  let isSure = true

  async function look(path: string): Promise<string> {
    const beganMs = nowMs()
    const { text, stats } = await lookAt(fileSystem, path)
    if (stats.some((stat) => stat.kind === "file" && isFresh(stat, beganMs))) isSure = false
    return text
  }

  /** Looks before what is asked is answered, so that a change in between shows. */
  async function note(path: string): Promise<void> {
    const looking = noted.get(path) ?? look(path)
    noted.set(path, looking)
    await looking
  }

  const watched: Pick<FileSystem, "lstat" | "realPath" | "readFile" | "open"> = {
    lstat: (path) => note(path).then(() => fileSystem.lstat(path)),
    realPath: (path) => note(path).then(() => fileSystem.realPath(path)),
    readFile: (path) => note(path).then(() => fileSystem.readFile(path)),
    open: (path, mode, permissions) => note(path).then(() => fileSystem.open(path, mode, permissions)),
  }

  return {
    fileSystem: new Proxy(fileSystem, {
      get(target, name) {
        if (Object.hasOwn(watched, name)) return watched[name as keyof typeof watched]
        const value: unknown = target[name as keyof FileSystem]
        return typeof value === "function" ? value.bind(target) : value
      },
    }),
    async stamp() {
      const answers: [path: string, text: string][] = []
      for (const [path, text] of noted) answers.push([path, await text])
      return isSure ? JSON.stringify(answers.sort(([a], [b]) => (a < b ? -1 : 1))) : undefined
    },
  }
}

/** Whether everything that a stamp tells of is still so. */
export async function isStill(fileSystem: FileSystem, stamp: string): Promise<boolean> {
  const noted = JSON.parse(stamp) as [path: string, text: string][]
  const now = await Promise.all(noted.map(async ([path]) => (await lookAt(fileSystem, path)).text))
  return noted.every(([, text], i) => text === now[i])
}

interface Look {
  readonly text: string
  readonly stats: readonly FileStat[]
}

/** A path and what it leads to. */
async function lookAt(fileSystem: FileSystem, path: string): Promise<Look> {
  try {
    const stat = await fileSystem.lstat(path)
    if (stat === undefined) return { text: "absent", stats: [] }
    if (stat.kind !== "link") return { text: textOf(stat), stats: [stat] }
    const real = await fileSystem.realPath(path)
    const target = real === undefined ? undefined : await fileSystem.lstat(real)
    const stats = target === undefined ? [stat] : [stat, target]
    return { text: [real ?? "", ...stats.map(textOf)].join(" "), stats }
  } catch (error) {
    return { text: `unreadable: ${error instanceof Error ? error.message : String(error)}`, stats: [] }
  }
}

function textOf({ kind, inode, device, sizeBytes, mtimeNs, ctimeNs, permissions }: FileStat): string {
  const place = `${kind} ${device}:${inode}`
  return kind === "folder" ? place : `${place} ${sizeBytes} ${mtimeNs} ${ctimeNs} ${permissions}`
}
