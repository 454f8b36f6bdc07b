/*
 * Work tree to tree without native git: walks, reads and hashes, and hands the objects on.
 */
import pLimit from "p-limit"
import { decodeName, isInside, joinPath, nameOf, type RepoPath } from "../core/path.js"
import { budget } from "../core/budget.js"
import type { ContentFound } from "../core/content-reader.js"
import type { FileStat, FileSystem, FolderHandle, OpenFile } from "../core/file-system.js"
import type { Hasher } from "../core/hasher.js"
import type { Manifest } from "../core/manifest.js"
import { hashObject } from "../core/object.js"
import type { Oid } from "../core/oid.js"
import type { OnProgress } from "../core/progress.js"
import { settleAll } from "../core/settle-all.js"
import { isFresh, MAPPED_MS } from "../core/stable-read.js"
import type { SkipReason } from "../core/skipped.js"
import type { Mode, TreeEntry } from "../core/tree.js"
import type { CapturedTree, CaptureRequest, ObjectSink } from "../core/tree-capture.js"
import type { Folders } from "./folders.js"
import { glanceAt, KnownGlance, type GlanceOptions } from "./glance.js"
import { piecesOf, readStable, WHOLE_FILE_BYTES, withFile, type FileContent } from "./read-file.js"
import { readBeside } from "./read-beside.js"
import { rowFacts } from "./row-facts.js"
import { IGNORE_FILE, scan } from "./scan.js"
import type { ScanVisitor } from "./scan-visitor.js"
import { SeedView } from "./seed-view.js"
import { treeBuilder, type BuiltTrees, type SeenStat } from "./tree-builder.js"

/** What captures of a work tree have in common. */
export interface PureCaptureOptions extends GlanceOptions {
  readonly fileSystem: FileSystem
  readonly hasher: Hasher
  readonly newFileLimitBytes: number
}

/** Captures the work tree that `folders` leads into. */
export async function captureIn(
  options: PureCaptureOptions,
  folders: Folders,
  request: CaptureRequest,
  sink: ObjectSink,
): Promise<CapturedTree> {
  const { fileSystem, hasher, contentReader, newFileLimitBytes, statCache } = options
  const glance = request.glance instanceof KnownGlance ? request.glance : await glanceAt(options)
  const unchanged = ifUnchanged(glance, request, sink)
  request.signal?.throwIfAborted()
  if (unchanged !== undefined) return unchanged
  const [rules, root] = await Promise.all([options.rules.now(), fileSystem.lstat(options.worktree)])
  const { known, view } = glance ?? {}
  const seed = request.seed instanceof SeedView ? request.seed : undefined
  const builder = treeBuilder()
  /** Folders that are taken as they were known. */
  const knownFolders: RepoPath[] = []
  const seenStats = new Map<RepoPath, SeenStat>()
  const memory = budget(MEMORY_BYTES)
  const opens = pLimit(OPEN_FILES)
  const nowMs = (): number => options.clock.nowMs()
  const counts = { filesScanned: 0, filesRead: view?.filesRead ?? 0, bytesRead: view?.bytesRead ?? 0 }

  function modeOf(path: RepoPath, stat: FileStat): Mode {
    if (!fileSystem.traits.executableBit) return request.base?.files.get(path)?.mode === "100755" ? "100755" : "100644"
    return (stat.permissions & 0o100) === 0 ? "100644" : "100755"
  }

  /** A look at a path that began at `beganMs`. */
  function seen(stat: FileStat, beganMs: number): SeenStat {
    // Stores into a mapped page can leave the times as they are for a while: such a file is read again next time.
    const isSettled = stat.kind !== "file" || Number(stat.mtimeNs / 1_000_000n) < beganMs - MAPPED_MS
    return { stat, isSure: isSettled && !isFresh(stat, beganMs) && stat.device === root?.device }
  }

  /** Takes a file, and holds as much memory as it has bytes where they are many. */
  async function takeFile(folder: FolderHandle, path: RepoPath): Promise<"taken" | "absent" | SkipReason> {
    let free = (): void => {}
    const hold = async (sizeBytes: number): Promise<void> => {
      free()
      free = () => {}
      free = await memory.take(Math.min(sizeBytes, WHOLE_FILE_BYTES))
    }
    try {
      const content = await takeHere(folder, path, hold)
      if (typeof content === "string") return content
      builder.addFile(path, modeOf(path, content.stat), content.oid, seen(content.stat, content.openedMs))
      return "taken"
    } finally {
      free()
    }
  }

  /** Takes what the content reader found; false when the object is needed and did not come along. */
  function takeFound(path: RepoPath, { oid, stat, openedMs, packed }: ContentFound): boolean | Promise<boolean> {
    const note = (): true => {
      counts.filesScanned++
      counts.filesRead++
      counts.bytesRead += stat.sizeBytes
      builder.addFile(path, modeOf(path, stat), oid, seen(stat, openedMs))
      return true
    }
    if (sink.has(oid)) return note()
    return packed !== undefined && (sink.addPacked(packed)?.then(note) ?? note())
  }

  /** Takes a file on this thread, and stores it as it is read where it is too large to be held. Only as many as `opens` lets are open at a time. */
  async function takeHere(folder: FolderHandle, path: RepoPath, hold: Hold): Promise<Taken | "absent" | SkipReason> {
    const content = await opens(async () => {
      const openedMs = nowMs()
      return withFile({ fileSystem, hasher }, folder, nameOf(path), async (file) => {
        const opened = file.opened ?? (await file.stat())
        if (opened.sizeBytes > newFileLimitBytes && !(await isTracked(path))) return tooLarge(path, opened, openedMs)
        await hold(opened.sizeBytes)
        const read = await readAndStream(file, opened)
        return typeof read === "string" ? read : { ...read, openedMs }
      })
    })
    // The file is closed by now: compressing takes longer than reading.
    if (typeof content !== "string" && content.bytes !== undefined && !sink.has(content.oid))
      await sink.add("blob", content.bytes, content.oid)
    return content
  }

  /** What is seen of the file tells next time whether it still is. */
  function tooLarge(path: RepoPath, stat: FileStat, openedMs: number): "too-large" {
    seenStats.set(path, seen(stat, openedMs))
    return "too-large"
  }

  async function isTracked(path: RepoPath): Promise<boolean> {
    return rules.scope.isTracked(path) || request.isTracked(path)
  }

  async function readAndStream(file: OpenFile, opened: FileStat): Promise<FileContent | "changed-while-reading"> {
    for (let attempt = 0; attempt < STORE_ATTEMPTS; attempt++) {
      const content = await readStable({ fileSystem, hasher }, file, nowMs, attempt === 0 ? opened : undefined)
      if (content === "changed-while-reading") return content
      counts.filesRead++
      counts.bytesRead += content.stat.sizeBytes
      if (content.bytes !== undefined || (await streamContent(file, content, sink))) return content
    }
    return "changed-while-reading"
  }

  async function takeLink(folder: FolderHandle, path: RepoPath): Promise<"taken" | "absent"> {
    const beganMs = nowMs()
    const stat = await fileSystem.lstat(folder.at(nameOf(path)))
    const text = stat?.kind === "link" ? await fileSystem.readLink(folder.at(nameOf(path))) : undefined
    if (stat === undefined || text === undefined) return "absent"
    const oid = await hashObject(hasher, "blob", text)
    if (!sink.has(oid)) await sink.add("blob", text, oid)
    builder.addFile(path, "120000", oid, seen(stat, beganMs))
    return "taken"
  }

  const visitor: ScanVisitor = {
    takeKnownFile(path, file) {
      // Whether a large one is tracked is not known at once.
      if (!sink.has(file.oid) || (file.mode !== "120000" && file.sizeBytes > newFileLimitBytes)) return false
      builder.addKnownFile(path, file)
      counts.filesScanned++
      return true
    },
    async visitFiles(folder, paths) {
      if (contentReader === undefined || sink.takes === "contents") return paths
      const files = paths.map((path) => ({
        address: folder.at(nameOf(path)),
        knownOid: request.base?.files.get(path)?.oid,
      }))
      const left = await readBeside(contentReader, files, {
        isWanted: sink.takes === "entries",
        limitBytes: newFileLimitBytes,
        admit: async (i, sizeBytes) =>
          sizeBytes > newFileLimitBytes && !(await isTracked(paths[i] as RepoPath))
            ? undefined
            : memory.take(sizeBytes),
        take: (i, found) => takeFound(paths[i] as RepoPath, found),
      })
      return left?.map((i) => paths[i] as RepoPath) ?? paths
    },
    async visitFile(folder, path, kind) {
      counts.filesScanned++
      return kind === "link" ? takeLink(folder, path) : takeFile(folder, path)
    },
    async readIgnoreFile(folder, path) {
      const beganMs = nowMs()
      const content = await withFile({ fileSystem, hasher }, folder, nameOf(path), (file) =>
        readStable({ fileSystem, hasher }, file, nowMs),
      )
      if (typeof content === "string") return content
      builder.addRules(path, seen(content.stat, beganMs))
      return content.bytes === undefined ? "too-large" : { text: content.bytes, oid: content.oid }
    },
    async look(folder) {
      const beganMs = nowMs()
      return seen(await folder.stat(), beganMs)
    },
    visitFolder(path, before, isEmpty) {
      builder.addFolder(path, before, isEmpty && rules.scope.included === undefined)
    },
    takeKnown(path, folder) {
      if (seed === undefined && (known === undefined || known.tree !== request.base?.tree)) return false
      if (folder.tree !== undefined && !sink.has(folder.tree)) return false
      builder.addKnown(path, folder)
      knownFolders.push(path)
      counts.filesScanned += folder.files
      return true
    },
    takeKnownList(path, folder, except, files) {
      // Each file of a whole base is stored, and tracked whatever its size.
      if (known === undefined || known.tree !== request.base?.tree || !request.base.isWhole) return false
      builder.addKnownFolder(path, folder, except)
      counts.filesScanned += files
      return true
    },
    leaveOut(path, reason) {
      builder.leaveOut(path, seenStats.get(path), PASSING.has(reason))
    },
    dropFolder: (path) => builder.dropFolder(path),
  }

  async function manifestOf({ seen }: BuiltTrees): Promise<Manifest> {
    const { skipped } = scanned
    const known = Object.entries(glance?.known.manifest.ignoreFiles ?? {})
    return {
      ...rules.manifest,
      ...(await rowFacts(seen)),
      newFileLimitBytes,
      skipped: skipped.toSorted((a, b) => (a.path < b.path ? -1 : 1)),
      ignoreFiles: Object.fromEntries([
        ...uncaptured.map(([folder, { text }]) => [folder, decodeName(text)] as const),
        ...known.filter(([folder]) => knownFolders.some((path) => isInside(folder, path))),
      ]),
    }
  }

  const { signal } = request
  const onProgress: OnProgress = (progress) => request.onProgress?.({ ...progress, bytes: counts.bytesRead })
  const isSameRules = rules.digest !== undefined && rules.digest === known?.rulesDigest
  const scanned = await scan(fileSystem, folders, rules.scope, visitor, {
    known: seed?.root ?? view?.root,
    // No rule leaves out what the repository tracks, and a folder of a seed holds nothing else; `include` may.
    isSameRules: seed === undefined ? isSameRules : rules.scope.included === undefined,
    signal,
    onProgress,
  })
  signal?.throwIfAborted()
  const built = await builder.build(hasher)
  /** The ignore files that are not in the tree with the text that counted, by folder. */
  const uncaptured = [...scanned.ignoreFiles].filter(
    ([folder, { oid }]) => builder.fileAt(joinPath(folder, IGNORE_FILE))?.oid !== oid,
  )
  const [manifest] = await settleAll([
    manifestOf(built),
    sink.addTrees(built.trees.filter(({ oid }) => !sink.has(oid))),
  ])
  const { digest: rulesDigest, stamp: rulesStamp } = rules
  const found = { tree: built.root, manifest, rulesStamp, seen: built.seen, files: counts.filesScanned }
  // A look keeps what the last capture found: the base of the next one is known by that.
  const isKept = sink.takes !== "nothing" || known === undefined
  // An ignore file that changed after its rules were read tells next time of other rules than those that counted.
  const isTorn = uncaptured.some(([folder]) => builder.fileAt(joinPath(folder, IGNORE_FILE)) !== undefined)
  if (rulesDigest !== undefined && isKept && !isTorn) statCache?.keep({ ...found, rulesDigest })
  const trees = new Map<Oid, readonly TreeEntry[]>(built.trees.map(({ oid, entries }) => [oid, entries]))
  return { tree: built.root, trees, manifest, stats: counts }
}

/** The base, where the work tree is what it was. What was left out may be tracked by now, so that it has to be looked at. */
function ifUnchanged(
  glance: KnownGlance | undefined,
  { base }: CaptureRequest,
  sink: ObjectSink,
): CapturedTree | undefined {
  const captured = base === undefined || !sink.has(base.tree) ? undefined : glance?.unchanged(base.tree)
  return captured?.manifest.skipped.length === 0 ? captured : undefined
}

/** Resolves when so much memory is free, and held for the file. A second call takes the place of the first. */
type Hold = (sizeBytes: number) => Promise<void>

/** A file as it was taken: its stat before it was read, and the time before it was opened. */
interface Taken {
  readonly oid: Oid
  readonly stat: FileStat
  readonly openedMs: number
}

/** Why a file is left out that may be taken next time, although nothing shows that it changed. */
const PASSING: ReadonlySet<SkipReason> = new Set(["unreadable", "changed-while-reading"])

const OPEN_FILES = 16

/** Contents that are held in memory at a time. */
const MEMORY_BYTES = 40 * 1024 * 1024

/** How often a large file may change between being hashed and being stored. */
const STORE_ATTEMPTS = 3

/** Stores a large file unless it is stored. False when the file changed since it was hashed. */
async function streamContent(file: OpenFile, { oid, stat }: FileContent, sink: ObjectSink): Promise<boolean> {
  return sink.has(oid) || (await sink.addStream(stat.sizeBytes, padded(file, stat.sizeBytes))) === oid
}

/** The pieces of a file, filled up with zeros when it got shorter: its oid tells then that it changed. */
async function* padded(file: OpenFile, sizeBytes: number): AsyncGenerator<Uint8Array> {
  let missing = sizeBytes
  for await (const piece of piecesOf(file, sizeBytes)) {
    missing -= piece.length
    yield piece
  }
  for (; missing > 0; missing -= FILLER.length) yield FILLER.subarray(0, missing)
}

const FILLER = new Uint8Array(64 * 1024)
