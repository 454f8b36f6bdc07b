/*
 * The files of a store that are neither refs nor objects, and that something would be lost with: HEAD and config, by which
 * Git and this library know it, and what restores wrote down. Caches, leases, locks and markers may go at any time.
 */
import type { VerifyProblem } from "../snapshot-store.js"
import { damagedStoreFiles, writeStoreFile } from "../store/gitdir.js"
import { restoreFiles } from "../store/restore-records.js"
import { keepAside, setAside } from "../store/set-aside.js"
import { isUnreadable } from "../store/unreadable.js"
import { decodeRecord } from "../tree/journal.js"
import type { StoreContext } from "./context.js"

/** Those files that are damaged, of all workspaces. */
export async function checkRecords(store: StoreContext): Promise<VerifyProblem[]> {
  const { platform, layout } = store
  const names: string[] = [...(await damagedStoreFiles(platform.fileSystem, layout))]
  for (const name of await restoreFiles(platform.fileSystem, layout))
    if ((await stateOf(store, name)) !== "sound") names.push(name)
  return names.map((name) => ({ oid: name, problem: "corrupt", file: name, snapshots: [] }))
}

/** What a repair made of those files. */
export interface RecordRepair {
  readonly left: readonly VerifyProblem[]
  readonly mended: readonly string[]
  readonly setAside: readonly string[]
}

/**
 * Writes HEAD and config anew, and moves damaged records of finished restores out of the way: those cannot be undone any
 * more. The journal of a restore that was interrupted stays: it tells where the files of its work tree are.
 * Only for who holds the maintenance lock.
 */
export async function repairRecords(store: StoreContext): Promise<RecordRepair> {
  const { platform, layout } = store
  const { fileSystem } = platform
  const aside: string[] = []
  const mended: string[] = []
  for (const name of await damagedStoreFiles(fileSystem, layout)) {
    const path = `${layout.gitdir}/${name}`
    const old = await fileSystem.readFile(path).catch(() => undefined)
    if (old !== undefined) aside.push(await keepAside(fileSystem, layout, path, old))
    else await move(store, name, aside)
    await writeStoreFile(fileSystem, layout, name)
    mended.push(name)
  }
  for (const name of await restoreFiles(fileSystem, layout)) {
    const isFinished = !name.endsWith("/running")
    if (isFinished && (await stateOf(store, name)) === "corrupt") await move(store, name, aside)
  }
  return { left: await checkRecords(store), mended, setAside: aside }
}

async function move({ platform, layout }: StoreContext, name: string, aside: string[]): Promise<void> {
  const place = await setAside(platform.fileSystem, layout, `${layout.gitdir}/${name}`)
  if (place !== undefined) aside.push(place)
}

async function stateOf({ platform, layout }: StoreContext, name: string): Promise<"sound" | "corrupt" | "unreadable"> {
  try {
    if ((await platform.fileSystem.lstat(`${layout.gitdir}/${name}`))?.kind === "folder") return "corrupt"
    const bytes = await platform.fileSystem.readFile(`${layout.gitdir}/${name}`)
    // One that is gone was forgotten, or its restore has ended.
    return bytes === undefined || (await decodeRecord(platform.hasher, bytes)) !== undefined ? "sound" : "corrupt"
  } catch (error) {
    if (isUnreadable(error)) return "unreadable"
    throw error
  }
}
