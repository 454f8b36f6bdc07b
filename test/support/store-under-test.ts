/*
 * What the contract suite runs on: a work tree and a store on each file system and backend. To add one, add a line to
 * BACKENDS.
 */
import { join } from "node:path"
import { expect, onTestFinished, vi } from "vitest"
import { openOn } from "../../src/calls/open.js"
import { SnapshotError, type ErrorCode, type ErrorDetails } from "../../src/core/errors.js"
import type { FileSystemClient } from "../../src/core/file-system-client.js"
import type { FileSystem } from "../../src/core/file-system.js"
import { openStore, type OpenOptions, type SnapshotStore } from "../../src/index.js"
import { nodePlatform } from "../../src/platform/node/node-platform.js"
import { nativeBackend } from "../../src/sidecar/native-capture.js"
import { memDisk, nodeDisk, type Disk } from "./disk.js"
import { folderContent, type FolderContent } from "./folder-content.js"
import { gitIsThere } from "./git.js"
import { byteText } from "./random-names.js"
import { temporaryFolder } from "./temporary-folder.js"

/** A file system with a backend of the store. */
export interface Backend {
  readonly name: string
  /** A work tree and a store that are not there before, for one test. */
  start(): Promise<StoreUnderTest>
}

export const BACKENDS: readonly Backend[] = [
  { name: "node:fs, pure", start: () => onDisk() },
  { name: "memfs, pure", start: () => onMemory() },
  ...(gitIsThere() ? [{ name: "node:fs, native", start: () => onDisk({ backend: "native" }) }] : []),
]

/** A work tree, the folder of a store, and hands to work on them with. Paths are relative to the work tree. */
export interface StoreUnderTest {
  readonly root: string
  readonly gitdir: string
  /** The folder that holds both. */
  readonly scratch: string
  readonly fs: Disk["fs"]
  /** Opens the store; it is closed when the test has finished. */
  open(options?: Partial<OpenOptions>): Promise<SnapshotStore>
  /** As `open`, on the file system that `wrap` makes of the real one. */
  openOn(wrap: (inner: FileSystem) => FileSystem, options?: Partial<OpenOptions>): Promise<SnapshotStore>
  /** Writes a file, with the folders above it. */
  write(path: string, content: string | Uint8Array, permissions?: number): void
  link(path: string, text: string): void
  folder(path: string, permissions?: number): void
  remove(path: string): void
  /** The text of a file; undefined when there is none. */
  read(path: string): string | undefined
  /** All of the work tree. */
  content(): FolderContent
  /** All of the store's folder but what is in the stat cache, which is written while other work goes on. */
  stored(): FolderContent
  /** What calls that ended must not leave behind: files in tmp/, leases/ and refs/restores/. */
  leftovers(): string[]
  refs(): string[]
}

/** Expects `call` to reject with this code and exactly these details, and a message that is a sentence. */
export async function expectError<Code extends ErrorCode>(
  call: Promise<unknown>,
  code: Code,
  details: ErrorDetails[Code],
): Promise<SnapshotError> {
  const error: unknown = await call.then(
    () => expect.fail(`no error, where ${code} belongs`),
    (reason: unknown) => reason,
  )
  expect(error).toBeInstanceOf(SnapshotError)
  const { code: found, details: told, message } = error as SnapshotError
  expect({ code: found, details: told }).toEqual({ code, details })
  expect(message).toMatch(/^\S[^]*\.$/)
  return error as SnapshotError
}

/** Puts HOME and the places of configuration into an empty folder, and drops what may point Git elsewhere. */
async function emptyHome(): Promise<string> {
  const home = await temporaryFolder()
  for (const name of ["HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME"]) vi.stubEnv(name, home)
  vi.stubEnv("GIT_CONFIG_GLOBAL", undefined)
  onTestFinished(() => void vi.unstubAllEnvs())
  return home
}

/** Starts on node:fs; `options` are added to those of every store that is opened. */
export async function onDisk(options: Partial<OpenOptions> = {}): Promise<StoreUnderTest> {
  await emptyHome()
  return underTest(nodeDisk, await temporaryFolder(), options)
}

/** Starts on a new memfs. */
export async function onMemory(options: Partial<OpenOptions> = {}): Promise<StoreUnderTest> {
  await emptyHome()
  const disk = memDisk()
  return underTest(disk, "/scratch", { ...options, fs: disk.client as unknown as FileSystemClient })
}

function underTest(disk: Disk, scratch: string, fixed: Partial<OpenOptions>): StoreUnderTest {
  const [root, gitdir] = [join(scratch, "work"), join(scratch, "store")]
  disk.fs.mkdirSync(root, { recursive: true })
  const at = (path: string): string => join(root, path)
  const optionsOf = (options: Partial<OpenOptions>): OpenOptions => ({ worktree: root, gitdir, ...fixed, ...options })
  const closing = (store: SnapshotStore): SnapshotStore => {
    onTestFinished(() => store.close())
    return store
  }
  const below = (folder: string): string[] =>
    disk.fs.lstatSync(folder, { throwIfNoEntry: false }) === undefined
      ? []
      : Object.entries(folderContent(disk, byteText(folder)))
          .filter(([, line]) => !line.startsWith("folder"))
          .map(([path]) => path)
  return {
    root,
    gitdir,
    scratch,
    fs: disk.fs,
    open: async (options = {}) => closing(await openStore(optionsOf(options))),
    async openOn(wrap, options = {}) {
      const { fs: client } = fixed
      const platform = await nodePlatform(client === undefined ? {} : { client })
      const wrapped = { ...platform, fileSystem: wrap(platform.fileSystem) }
      const place = { loadGit: () => import("isomorphic-git"), stores: async () => join(scratch, "stores") }
      return closing(await openOn({ ...place, platform: wrapped, native: nativeBackend(wrapped) }, optionsOf(options)))
    },
    write(path, content, permissions) {
      disk.fs.mkdirSync(join(at(path), ".."), { recursive: true })
      disk.fs.writeFileSync(at(path), content)
      if (permissions !== undefined) disk.fs.chmodSync(at(path), permissions)
    },
    link(path, text) {
      disk.fs.mkdirSync(join(at(path), ".."), { recursive: true })
      disk.fs.symlinkSync(text, at(path))
    },
    folder(path, permissions = 0o755) {
      disk.fs.mkdirSync(at(path), { recursive: true })
      disk.fs.chmodSync(at(path), permissions)
    },
    remove(path) {
      // memfs would remove what a link leads to.
      if (disk.fs.lstatSync(at(path)).isDirectory()) disk.fs.rmSync(at(path), { recursive: true })
      else disk.fs.unlinkSync(at(path))
    },
    read(path) {
      const there = disk.fs.lstatSync(at(path), { throwIfNoEntry: false })?.isFile() === true
      return there ? Buffer.from(disk.fs.readFileSync(at(path))).toString() : undefined
    },
    content: () => folderContent(disk, byteText(root)),
    stored: () =>
      Object.fromEntries(
        Object.entries(folderContent(disk, byteText(gitdir))).filter(([path]) => !path.startsWith("stat-cache/")),
      ),
    leftovers: () =>
      ["tmp", "leases", "refs/restores"].flatMap((name) => below(join(gitdir, name)).map((path) => `${name}/${path}`)),
    refs: () => below(join(gitdir, "refs")).map((path) => `refs/${path}`),
  }
}
