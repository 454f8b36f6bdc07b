/*
 * What the restores of a workspace did, and what a running one is about to do:
 *
 *   restores/<workspace>/running                 before it touches anything, until it is finished or taken back
 *   restores/<workspace>/<time>-<random>         once it is finished; named as its safety snapshot
 */
import type { FileSystem } from "../core/file-system.js"
import type { Workspace } from "../core/ref-name.js"
import { makeFolders, removeIfThere, writeAtomically } from "./atomic-file.js"
import type { GitdirLayout } from "./gitdir.js"

/** The records of one workspace, as bytes. */
export interface RestoreRecords {
  /** The file of the running one. */
  readonly journal: string
  /** That of a restore that is running, or that ended in the middle. */
  running(): Promise<Uint8Array | undefined>
  /** Puts it there; with `durable`, synced. */
  begin(bytes: Uint8Array, durable: boolean): Promise<void>
  /** Keeps what the restore did, and ends it. */
  finish(name: string, bytes: Uint8Array, durable: boolean): Promise<void>
  /** Ends it without a trace. */
  drop(durable: boolean): Promise<void>
  /** The names of the finished ones, the oldest first. */
  names(): Promise<readonly string[]>
  read(name: string): Promise<Uint8Array | undefined>
  /** Forgets a finished one. */
  remove(name: string): Promise<void>
}

export function restoreRecords(fileSystem: FileSystem, layout: GitdirLayout, workspace: Workspace): RestoreRecords {
  const folder = `${layout.restores}/${workspace}`
  const journal = `${folder}/${RUNNING}`
  const put = (path: string, bytes: Uint8Array, durable: boolean): Promise<void> =>
    writeAtomically(fileSystem, layout.temporary, path, bytes, durable)

  async function drop(durable: boolean): Promise<void> {
    await removeIfThere(fileSystem, journal)
    if (durable) await fileSystem.syncFolder(folder)
  }

  return {
    journal,
    running: () => fileSystem.readFile(journal),
    async begin(bytes, durable) {
      await makeFolders(fileSystem, folder, durable)
      await put(journal, bytes, durable)
    },
    async finish(name, bytes, durable) {
      await put(`${folder}/${name}`, bytes, durable)
      await drop(durable)
    },
    drop,
    async names() {
      const items = (await fileSystem.list(folder)) ?? []
      return items.flatMap(({ name }) => (NAME.test(name) ? [name] : [])).sort()
    },
    read: (name) => fileSystem.readFile(`${folder}/${name}`),
    remove: (name) => removeIfThere(fileSystem, `${folder}/${name}`),
  }
}

/** The workspaces of the store in which a restore runs, or ended in the middle. */
export async function pendingWorkspaces(fileSystem: FileSystem, { restores }: GitdirLayout): Promise<string[]> {
  const pending: string[] = []
  for (const { name } of (await fileSystem.list(restores)) ?? [])
    if ((await fileSystem.lstat(`${restores}/${name}/${RUNNING}`)) !== undefined) pending.push(name)
  return pending
}

/** The files of running and of finished restores of all workspaces, from the gitdir on. */
export async function restoreFiles(fileSystem: FileSystem, { restores }: GitdirLayout): Promise<string[]> {
  const files: string[] = []
  for (const workspace of (await fileSystem.list(restores)) ?? []) {
    if (workspace.kind !== "folder") continue
    for (const { name } of (await fileSystem.list(`${restores}/${workspace.name}`)) ?? [])
      if (name === RUNNING || NAME.test(name)) files.push(`restores/${workspace.name}/${name}`)
  }
  return files
}

const RUNNING = "running"
const NAME = /^\d{8}T\d{9}Z-[0-9a-f]+$/
