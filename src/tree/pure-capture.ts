/*
 * Work tree to tree without native git: walks, reads and hashes, and hands the objects on.
 */
import pLimit from "p-limit"
import { decodeName, isInside, joinPath, nameOf, parentOf, ROOT, type RepoPath } from "../core/path.js"
import { budget } from "../core/budget.js"
import type { Clock } from "../core/clock.js"
import type { FileStat, FileSystem, FolderHandle, OpenFile } from "../core/file-system.js"
import type { Hasher } from "../core/hasher.js"
import type { Manifest } from "../core/manifest.js"
import { hashObject } from "../core/object.js"
import type { Oid } from "../core/oid.js"
import type { OnProgress } from "../core/progress.js"
import type { SkipReason } from "../core/skipped.js"
import type { Mode, TreeEntry } from "../core/tree.js"
import type { CapturedTree, CaptureRequest, ObjectSink, TreeCapture } from "../core/tree-capture.js"
import { worktreeFolders, type Folders } from "./folders.js"
import { permissionTally } from "./permissions.js"
import { piecesOf, readStable, WHOLE_FILE_BYTES, withFile, type FileContent } from "./read-file.js"
import type { CaptureRules } from "./rules-now.js"
import { IGNORE_FILE, scan, type ScanVisitor } from "./scan.js"
import { treeBuilder, type TreeBuilder } from "./tree-builder.js"

/** What captures of a work tree have in common. */
export interface PureCaptureOptions {
  readonly fileSystem: FileSystem
  readonly hasher: Hasher
  readonly clock: Clock
  /** The real path of the work tree. */
  readonly worktree: string
  readonly newFileLimitBytes: number
  /** The rules as they are now; asked once for each capture. */
  readonly rulesNow: () => Promise<CaptureRules>
}

/** The TreeCapture port on the file system alone. */
export function pureCapture(options: PureCaptureOptions): TreeCapture {
  return {
    async capture(request, sink) {
      const folders = worktreeFolders(options.fileSystem, options.worktree)
      try {
        return await captureIn(options, folders, request, sink)
      } finally {
        await folders.close()
      }
    },
  }
}

async function captureIn(
  options: PureCaptureOptions,
  folders: Folders,
  request: CaptureRequest,
  sink: ObjectSink,
): Promise<CapturedTree> {
  const { fileSystem, hasher, newFileLimitBytes } = options
  const rules = await options.rulesNow()
  const builder = treeBuilder()
  const permissions = new Map<RepoPath, readonly [mode: Mode, permissions: number]>()
  const emptyFolders = new Set<RepoPath>()
  const memory = budget(MEMORY_BYTES)
  const opens = pLimit(OPEN_FILES)
  const nowMs = (): number => options.clock.nowMs()
  const counts = { filesScanned: 0, filesRead: 0, bytesRead: 0 }

  function modeOf(path: RepoPath, stat: FileStat): Mode {
    if (!fileSystem.traits.executableBit) return request.base?.files.get(path)?.mode === "100755" ? "100755" : "100644"
    return (stat.permissions & 0o100) === 0 ? "100644" : "100755"
  }

  /** Reads a file, and stores it as well where it is too large to be held. Only as many as `opens` lets are open at a time. */
  async function takeFile(folder: FolderHandle, path: RepoPath): Promise<"taken" | "absent" | SkipReason> {
    let free = (): void => {}
    try {
      const content = await opens(() =>
        withFile({ fileSystem, hasher }, folder, nameOf(path), async (file) => {
          const opened = file.opened ?? (await file.stat())
          if (opened.sizeBytes > newFileLimitBytes && !(await isTracked(path))) return "too-large"
          free = await memory.take(Math.min(opened.sizeBytes, WHOLE_FILE_BYTES))
          return readAndStream(file, opened)
        }),
      )
      if (typeof content === "string") return content
      // The file is closed by now: compressing takes longer than reading.
      if (content.bytes !== undefined && !sink.has(content.oid)) await sink.add("blob", content.bytes, content.oid)
      const mode = modeOf(path, content.stat)
      builder.addFile(path, mode, content.oid)
      permissions.set(path, [mode, content.stat.permissions])
      return "taken"
    } finally {
      free()
    }
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
    const text = await fileSystem.readLink(folder.at(nameOf(path)))
    if (text === undefined) return "absent"
    const oid = await hashObject(hasher, "blob", text)
    if (!sink.has(oid)) await sink.add("blob", text, oid)
    builder.addFile(path, "120000", oid)
    return "taken"
  }

  const visitor: ScanVisitor = {
    async visitFile(folder, path, kind) {
      counts.filesScanned++
      if (kind === "link") return takeLink(folder, path)
      return takeFile(folder, path)
    },
    async readIgnoreFile(folder, path) {
      const content = await withFile({ fileSystem, hasher }, folder, nameOf(path), (file) =>
        readStable({ fileSystem, hasher }, file, nowMs),
      )
      if (typeof content === "string") return content
      return content.bytes ?? "too-large"
    },
    dropFolder(path) {
      builder.dropFolder(path)
      for (const known of permissions.keys()) if (isInside(known, path)) permissions.delete(known)
      for (const folder of emptyFolders) if (isInside(folder, path)) emptyFolders.delete(folder)
    },
    async visitFolder(folder, path, isEmpty) {
      builder.addFolder(path)
      if (path === ROOT) return
      permissions.set(path, ["40000", (await folder.stat()).permissions])
      if (isEmpty && rules.scope.included === undefined) emptyFolders.add(path)
    },
  }

  const { signal } = request
  const onProgress: OnProgress = (progress) => request.onProgress?.({ ...progress, bytes: counts.bytesRead })
  const scanned = await scan(fileSystem, folders, rules.scope, visitor, { signal, onProgress })
  signal?.throwIfAborted()
  const built = await builder.build(hasher)
  await sink.addTrees(built.trees.filter(({ oid }) => !sink.has(oid)))
  const kept = new Set<RepoPath>(built.folders)
  for (const folder of emptyFolders) for (let at = folder; at !== ROOT; at = parentOf(at)) kept.add(at)
  const tally = permissionTally()
  for (const [path, [mode, bits]] of permissions) if (mode !== "40000" || kept.has(path)) tally.add(path, mode, bits)
  const manifest: Manifest = {
    ...rules.manifest,
    newFileLimitBytes,
    skipped: scanned.skipped.toSorted((a, b) => (a.path < b.path ? -1 : 1)),
    ignoreFiles: Object.fromEntries(await uncaptured(hasher, scanned.ignoreFiles, builder)),
    emptyFolders: [...emptyFolders],
    permissions: tally.total(),
  }
  const trees = new Map<Oid, readonly TreeEntry[]>(built.trees.map(({ oid, entries }) => [oid, entries]))
  return { tree: built.root, trees, manifest, stats: counts }
}

const OPEN_FILES = 16

/** Contents that are held in memory at a time. */
const MEMORY_BYTES = 64 * 1024 * 1024

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

/** The ignore files that are not in the tree with the text that counted, by folder. */
async function uncaptured(
  hasher: Hasher,
  ignoreFiles: ReadonlyMap<RepoPath, Uint8Array>,
  builder: TreeBuilder,
): Promise<[string, string][]> {
  const missing: [string, string][] = []
  for (const [folder, text] of ignoreFiles) {
    const entry = builder.fileAt(joinPath(folder, IGNORE_FILE))
    if (entry?.oid !== (await hashObject(hasher, "blob", text))) missing.push([folder, decodeName(text)])
  }
  return missing
}
