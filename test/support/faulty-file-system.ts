import { SnapshotError } from "../../src/core/errors.js"
import type {
  FileStat,
  FileSystem,
  FileSystemTraits,
  FolderHandle,
  FolderItem,
  OpenFile,
  OpenMode,
} from "../../src/core/file-system.js"
import { ioError } from "../../src/platform/io-error.js"

/** The calls that are counted: those of FileSystem by their names, those of what it opens with "file." and "folder." before. */
export type CallKind =
  | Exclude<keyof FileSystem, "traits">
  | `file.${keyof OpenFile}`
  | `folder.${Exclude<keyof FolderHandle, "address" | "at">}`

/** A call that was asked for. */
export interface FileSystemCall {
  /** 1 for the first of all. */
  readonly number: number
  readonly kind: CallKind
  readonly path: string
}

/** When something goes wrong, and how. A fault strikes once, except for `kill`, which lasts. */
export interface Fault {
  /** Which of the calls that match: 1 is the first. */
  readonly call: number
  /** Counts only calls of these kinds. */
  readonly kind?: CallKind | readonly CallKind[]
  /** Counts only calls whose path contains this. */
  readonly path?: string
  /**
   * - `fail`: rejects with `errno` and does nothing.
   * - `short`: writes the first half of the bytes, then rejects with `errno`; for `file.write`.
   * - `kill`: does nothing, and neither does any later call: all reject.
   * - `kill-after`: the call takes effect, but nobody hears of it; all later calls reject.
   */
  readonly how: "fail" | "short" | "kill" | "kill-after"
  /** The system's name for the failure, such as `ENOSPC`. Default: `EIO`. */
  readonly errno?: string
}

/** A file system on which calls fail as planned. */
export interface FaultyFileSystem extends FileSystem {
  /** Every call so far, those that failed included. */
  readonly calls: readonly FileSystemCall[]
  /** Whether a fault of the plan has struck. */
  readonly struck: boolean
}

/** Stands around each call: makes it when it likes. */
export type AroundCall = <T>(call: FileSystemCall, make: () => Promise<T>) => Promise<T>

/** `inner`, where the calls that `faults` name go wrong. Without faults it only records. */
export function faultyFileSystem(
  inner: FileSystem,
  faults: readonly Fault[] = [],
  around: AroundCall = (_call, make) => make(),
): FaultyFileSystem {
  return new FaultyFiles(inner, faults, around)
}

class FaultyFiles implements FaultyFileSystem {
  readonly traits: FileSystemTraits
  readonly calls: FileSystemCall[] = []
  struck = false
  readonly #inner: FileSystem
  readonly #pending: { readonly fault: Fault; seen: number }[]
  readonly #around: AroundCall
  #killed = false

  constructor(inner: FileSystem, faults: readonly Fault[], around: AroundCall) {
    this.#around = around
    this.traits = inner.traits
    this.#inner = inner
    this.#pending = faults.map((fault) => ({ fault, seen: 0 }))
  }

  lstat(path: string): Promise<FileStat | undefined> {
    return this.meet("lstat", path, () => this.#inner.lstat(path))
  }

  list(path: string): Promise<FolderItem[] | undefined> {
    return this.meet("list", path, () => this.#inner.list(path))
  }

  readLink(path: string): Promise<Uint8Array | undefined> {
    return this.meet("readLink", path, () => this.#inner.readLink(path))
  }

  realPath(path: string): Promise<string | undefined> {
    return this.meet("realPath", path, () => this.#inner.realPath(path))
  }

  readFile(path: string): Promise<Uint8Array | undefined> {
    return this.meet("readFile", path, () => this.#inner.readFile(path))
  }

  open(path: string, mode: OpenMode, permissions?: number): Promise<OpenFile> {
    return this.meet("open", path, async () => {
      const file = await this.#inner.open(path, mode, permissions)
      return new FaultyFile(this, file, path)
    })
  }

  openFolder(path: string): Promise<FolderHandle> {
    return this.meet("openFolder", path, async () => {
      const folder = await this.#inner.openFolder(path)
      return new FaultyFolder(this, folder, path)
    })
  }

  makeFolder(path: string, permissions?: number): Promise<void> {
    return this.meet("makeFolder", path, () => this.#inner.makeFolder(path, permissions))
  }

  makeLink(text: Uint8Array, path: string): Promise<void> {
    return this.meet("makeLink", path, () => this.#inner.makeLink(text, path))
  }

  cloneFile(existing: string, path: string): Promise<boolean> {
    return this.meet("cloneFile", path, () => this.#inner.cloneFile(existing, path))
  }

  linkFile(existing: string, path: string): Promise<void> {
    return this.meet("linkFile", path, () => this.#inner.linkFile(existing, path))
  }

  rename(from: string, to: string): Promise<void> {
    return this.meet("rename", to, () => this.#inner.rename(from, to))
  }

  unlink(path: string): Promise<void> {
    return this.meet("unlink", path, () => this.#inner.unlink(path))
  }

  removeFolder(path: string): Promise<void> {
    return this.meet("removeFolder", path, () => this.#inner.removeFolder(path))
  }

  chmodFolder(path: string, permissions: number): Promise<void> {
    return this.meet("chmodFolder", path, () => this.#inner.chmodFolder(path, permissions))
  }

  syncFolder(path: string): Promise<void> {
    return this.meet("syncFolder", path, () => this.#inner.syncFolder(path))
  }

  /** Makes the call, unless a fault is due. `half` does half of a write. */
  async meet<T>(kind: CallKind, path: string, call: () => Promise<T>, half?: () => Promise<void>): Promise<T> {
    const recorded = { number: this.calls.length + 1, kind, path }
    this.calls.push(recorded)
    return this.#around(recorded, () => this.#make(recorded, call, half))
  }

  async #make<T>(
    { kind, path }: FileSystemCall,
    call: () => Promise<T>,
    half: (() => Promise<void>) | undefined,
  ): Promise<T> {
    if (this.#killed) throw killed(kind, path)
    const fault = this.#due(kind, path)
    if (fault === undefined) return call()
    this.struck = true
    if (fault.how === "kill" || fault.how === "kill-after") this.#killed = true
    if (fault.how === "kill-after") await call()
    if (this.#killed) throw killed(kind, path)
    if (fault.how === "short") await half?.()
    throw ioError(kind, path, { code: fault.errno ?? "EIO" })
  }

  #due(kind: CallKind, path: string): Fault | undefined {
    let due: Fault | undefined
    for (const counted of this.#pending) {
      const { fault } = counted
      const ofKind = fault.kind === undefined || [fault.kind].flat().includes(kind)
      if (!ofKind || !path.includes(fault.path ?? "")) continue
      counted.seen += 1
      if (counted.seen === fault.call) due ??= fault
    }
    return due
  }
}

class FaultyFile implements OpenFile {
  readonly #plan: FaultyFiles
  readonly #inner: OpenFile
  readonly #path: string

  constructor(plan: FaultyFiles, inner: OpenFile, path: string) {
    this.#plan = plan
    this.#inner = inner
    this.#path = path
  }

  stat(): Promise<FileStat> {
    return this.#plan.meet("file.stat", this.#path, () => this.#inner.stat())
  }

  read(buffer: Uint8Array, position: number): Promise<number> {
    return this.#plan.meet("file.read", this.#path, () => this.#inner.read(buffer, position))
  }

  write(bytes: Uint8Array, position: number): Promise<void> {
    const half = bytes.subarray(0, bytes.length >> 1)
    return this.#plan.meet(
      "file.write",
      this.#path,
      () => this.#inner.write(bytes, position),
      () => this.#inner.write(half, position),
    )
  }

  truncate(sizeBytes: number): Promise<void> {
    return this.#plan.meet("file.truncate", this.#path, () => this.#inner.truncate(sizeBytes))
  }

  chmod(permissions: number): Promise<void> {
    return this.#plan.meet("file.chmod", this.#path, () => this.#inner.chmod(permissions))
  }

  sync(): Promise<void> {
    return this.#plan.meet("file.sync", this.#path, () => this.#inner.sync())
  }

  close(): Promise<void> {
    return closing(
      this.#plan.meet("file.close", this.#path, () => this.#inner.close()),
      this.#inner,
    )
  }
}

class FaultyFolder implements FolderHandle {
  readonly #plan: FaultyFiles
  readonly #inner: FolderHandle
  readonly #path: string

  constructor(plan: FaultyFiles, inner: FolderHandle, path: string) {
    this.#plan = plan
    this.#inner = inner
    this.#path = path
  }

  get address(): string {
    return this.#inner.address
  }

  at(name: string): string {
    return this.#inner.at(name)
  }

  stat(): Promise<FileStat> {
    return this.#plan.meet("folder.stat", this.#path, () => this.#inner.stat())
  }

  check(): Promise<void> {
    return this.#plan.meet("folder.check", this.#path, () => this.#inner.check())
  }

  close(): Promise<void> {
    return closing(
      this.#plan.meet("folder.close", this.#path, () => this.#inner.close()),
      this.#inner,
    )
  }
}

/** The system closes what a dead process had open, and what it could not close without an error. */
async function closing(planned: Promise<void>, inner: { close(): Promise<void> }): Promise<void> {
  try {
    await planned
  } finally {
    await inner.close()
  }
}

function killed(kind: CallKind, path: string): SnapshotError {
  return new SnapshotError("IO_FAILED", `Could not ${kind} at ${path}: the process was killed.`, {
    action: kind,
    path,
    errno: "KILLED",
  })
}
