import type { Manifest } from "./manifest.js"
import type { Oid } from "./oid.js"
import type { PackedObject } from "./pack.js"
import type { RepoPath } from "./path.js"
import type { OnProgress } from "./progress.js"
import type { TreeEntry } from "./tree.js"

/** Where a capture puts the objects that it makes. */
export interface ObjectSink {
  /** Whether the object is stored already, on terms that the capture may count on. */
  has(oid: Oid): boolean
  /** Stores a blob whose oid is `oid`. */
  add(type: "blob", bytes: Uint8Array, oid: Oid): Promise<void>
  /**
   * In which form it is best given a blob: as its content, as an entry of a pack, or not at all, as it takes every object
   * as stored.
   */
  readonly takes: "contents" | "entries" | "nothing"
  /** Stores an object as it stands in a pack. Only of a sink that takes entries. */
  addPacked(object: PackedObject): Promise<void> | undefined
  /**
   * Stores a blob piece by piece and gives its oid. When `chunks` throws, with what it threw, or gives another number of
   * bytes than `sizeBytes`, with INVALID_ARGUMENT, it rejects, and nothing of the blob is stored. All chunks may be one
   * buffer, filled anew each time.
   */
  addStream(sizeBytes: number, chunks: AsyncIterable<Uint8Array>): Promise<Oid>
  /** Stores the trees of a work tree: those with a changed entry, children first. */
  addTrees(trees: readonly NewTree[]): Promise<void>
  /** Where objects come together in a pack: takes whole packs. */
  readonly packs?: PackTaker
}

/** Takes packs that another program made. */
export interface PackTaker {
  /**
   * A path that only this capture has. Files and folders of this path with an extension are gone when it has ended, or
   * are removed by maintenance when it was killed.
   */
  readonly temporary: string
  /** Takes over the objects of the pack at `<path>.pack`, with its index at `<path>.idx`: none that is stored already. */
  addPack(path: string, oids: Iterable<Oid>): Promise<void>
}

/** A tree object to store, as entries and as bytes. */
export interface NewTree {
  readonly oid: Oid
  readonly entries: readonly TreeEntry[]
  readonly bytes: Uint8Array
}

/** A look at the work tree by what is known of it. */
export interface Glance {
  /** The work tree, when it was `tree` and nothing can have changed since; without the trees in it. */
  unchanged(tree: Oid): CapturedTree | undefined
}

/** What the user's own repository tells of the work tree: files whose contents the sink has. */
export interface Seed {
  /** How many files and links. */
  readonly files: number
}

/** What is known of the work tree before it is read. */
export interface CaptureRequest {
  /** Counts in the place of what the last capture found. */
  readonly seed?: Seed | undefined
  /** A look that was just taken, which saves taking another one. */
  readonly glance?: Glance | undefined
  /** Whether a file is exempt from the new-file limit because the store has it. Asked only of files above the limit. */
  isTracked(path: RepoPath): Promise<boolean>
  /** The snapshot that the capture builds on. */
  readonly base: BaseTree | undefined
  readonly signal?: AbortSignal
  readonly onProgress?: OnProgress
}

/** A stored tree that a capture builds on. */
export interface BaseTree {
  readonly tree: Oid
  /** All that it reaches is stored. */
  readonly isWhole: boolean
  readonly files: TreeFiles
}

/** The files and links of a tree, by path. */
export type TreeFiles = Pick<ReadonlyMap<RepoPath, TreeEntry>, "get" | "has" | "keys">

/** What a tree holds. */
export interface TreeContents {
  readonly files: TreeFiles
  /** Whether it reaches an object: a blob, or a tree in it. */
  has(oid: Oid): boolean
}

/** The work tree as a tree. */
export interface CapturedTree {
  readonly tree: Oid
  /** Every tree object of it by oid, so that it can be compared without having been stored. */
  readonly trees: ReadonlyMap<Oid, readonly TreeEntry[]>
  readonly manifest: Manifest
  readonly stats: CaptureCounts
}

/** What a capture had to do. */
export interface CaptureCounts {
  /** Files and links seen, ignored ones left out. */
  readonly filesScanned: number
  readonly filesRead: number
  readonly bytesRead: number
}

/** Port: work tree to tree. Reads the work tree, changes nothing in it, and puts the objects into the sink. */
export interface TreeCapture {
  /** Compares the work tree with what the last capture found; undefined when nothing is known. */
  glance(): Promise<Glance | undefined>
  /** What `tree` holds, when it is what the last capture found. */
  contents(tree: Oid): Promise<TreeContents | undefined>
  /** Keeps what the last capture found for other processes, while other work goes on. */
  save(): void
  /** Resolves when nothing is under way any more. */
  close(): Promise<void>
  capture(request: CaptureRequest, sink: ObjectSink): Promise<CapturedTree>
}

/** Port: another program that stores what captures read. */
export interface CaptureBackend {
  /** UNSUPPORTED unless the program can be run. */
  check(): Promise<void>
  /** Captures that `reader` reads and the program stores; a sink that takes no packs gets what `reader` gives it. */
  capture(reader: TreeCapture, place: CapturePlace): TreeCapture
}

/** Where a store has what such a program needs. */
export interface CapturePlace {
  readonly objects: string
}
