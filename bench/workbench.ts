import { mkdir, rm } from "node:fs/promises"
import { join } from "node:path"
import type { Captured, Place } from "./contender.js"
import { startContender, type ContenderProcess } from "./contender-process.js"
import type { Took } from "./contender-call.js"
import { together } from "./sample.js"
import { copyTree, settleDisk } from "./trees/copy-tree.js"
import { editFiles } from "./trees/edits.js"
import type { BenchTree } from "./trees/make-tree.js"

/** A store that holds the tree as it was made, on a copy of the tree, and a process that goes on. */
export interface Settled {
  readonly process: ContenderProcess
  readonly place: Place
  /** The tree before any edit. */
  readonly base: Captured
  /** What it took to get there. */
  readonly first: Took
}

/** What one contender works with on one tree. */
export interface Workbench {
  readonly tree: BenchTree
  readonly contender: string
  /** The files that are edited where many are. */
  readonly edited: readonly string[]
  /** A new process. */
  start(): Promise<ContenderProcess>
  /** Does `work` with a gitdir that is not there yet, and removes it afterwards. */
  withNewStore<T>(work: (place: Place) => Promise<T>, isSeeded?: boolean): Promise<T>
  /** Copies the tree, so that its times are old when it is captured. */
  copy(): Promise<void>
  isSettled(): boolean
  /** The settled store; the first call makes it. */
  settled(): Promise<Settled>
  /** Edits files of the copy and waits for the disk. The same edit makes the same bytes with every contender. */
  edit(paths: readonly string[], edit: string): Promise<void>
  close(): Promise<void>
}

/** What a workbench is made of. */
export interface WorkbenchParts {
  readonly tree: BenchTree
  readonly contender: string
  readonly edited: readonly string[]
  /** An empty folder on the tree's file system. */
  readonly scratch: string
  /** A copy of the tree with a clean repository; made when first asked for. */
  readonly repository: () => Promise<string>
}

export function openWorkbench({ tree, contender, edited, scratch, repository }: WorkbenchParts): Workbench {
  const copy = join(scratch, "copy")
  let isCopied = false
  let settled: Promise<Settled> | undefined
  let stores = 0

  async function makeCopy(): Promise<void> {
    if (isCopied) return
    isCopied = true
    await mkdir(scratch, { recursive: true })
    await copyTree(tree.folder, copy)
  }

  async function settle(): Promise<Settled> {
    await makeCopy()
    settleDisk()
    const place = { worktree: copy, gitdir: join(scratch, "settled"), edited }
    const process = await start()
    const opened = await process.open(place)
    await process.settle()
    const { took, captured } = await process.capture()
    settleDisk()
    return { process, place, base: captured, first: together(opened, took) }
  }

  function start(): Promise<ContenderProcess> {
    return startContender(contender, join(scratch, "home"))
  }

  return {
    tree,
    contender,
    edited,
    start,
    async withNewStore(work, isSeeded = false) {
      await mkdir(scratch, { recursive: true })
      const gitdir = join(scratch, `new-${stores++}`)
      const worktree = isSeeded ? await repository() : tree.folder
      settleDisk()
      try {
        return await work({ worktree, gitdir, edited, ...(isSeeded ? { seed: join(worktree, ".git") } : {}) })
      } finally {
        await rm(gitdir, { recursive: true, force: true })
        settleDisk()
      }
    },
    copy: makeCopy,
    isSettled: () => settled !== undefined,
    settled: () => (settled ??= settle()),
    async edit(paths, edit) {
      await editFiles(tree, copy, paths, edit)
      settleDisk()
    },
    async close() {
      await (await settled)?.process.close()
      await rm(scratch, { recursive: true, force: true })
    },
  }
}
