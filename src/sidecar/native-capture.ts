/*
 * Work tree to tree with native git: what it is given was read from the work tree as every capture reads it; native git
 * compresses and stores the contents and builds the trees, in a gitdir of the capture's own. The store's index, refs and
 * locks are out of its sight. All that is new comes back as one pack.
 *
 * The contents go to git on its stdin, and not as a list of paths: `git hash-object --stdin-paths` would open the files
 * itself, follow links, wait for ever on a fifo, and give up all of them for one that cannot be read.
 */
import { lossyText, utf8 } from "../core/bytes.js"
import { SnapshotError } from "../core/errors.js"
import type { FileSystem } from "../core/file-system.js"
import type { Hasher } from "../core/hasher.js"
import { objectHeader } from "../core/object.js"
import { oidAt, type Oid } from "../core/oid.js"
import type {
  CaptureBackend,
  CapturedTree,
  CapturePlace,
  CaptureRequest,
  ObjectSink,
  PackTaker,
} from "../core/tree-capture.js"
import { blobImport, type BlobImport } from "./blob-import.js"
import { checkGit } from "./check-git.js"
import { writeNativeTree } from "./native-tree.js"
import { scratchGitdir, type ScratchGitdir } from "./scratch-gitdir.js"

/** What the backend needs beside git. */
export interface NativePorts {
  readonly fileSystem: FileSystem
  readonly hasher: Hasher
}

/** The native backend. Git's own failures in a capture, a disk that is full for git included: GIT_FAILED. */
export function nativeBackend(ports: NativePorts): CaptureBackend {
  return {
    check: checkGit,
    capture: (reader, place) => ({
      glance: () => reader.glance(),
      contents: (tree) => reader.contents(tree),
      save: () => reader.save(),
      close: () => reader.close(),
      async capture(request, sink) {
        if (sink.packs === undefined) return reader.capture(request, sink)
        const native = nativeSink({ ...ports, place, request, sink, packs: sink.packs })
        try {
          const captured = await reader.capture(request, native)
          await native.deliver(captured)
          return captured
        } finally {
          await native.close()
        }
      },
    }),
  }
}

interface NativeSink extends ObjectSink {
  /** Builds the trees and puts all that is new into the capture's sink. */
  deliver(captured: CapturedTree): Promise<void>
  close(): Promise<void>
}

interface NativeSinkOptions extends NativePorts {
  readonly place: CapturePlace
  readonly request: CaptureRequest
  readonly sink: ObjectSink
  readonly packs: PackTaker
}

/** Lets git store what `sink` has not. Git is not started before there is something to store. */
function nativeSink({ fileSystem, hasher, place, request, sink, packs }: NativeSinkOptions): NativeSink {
  const blobs = new Set<Oid>()
  const newTrees: Oid[] = []
  let made: Promise<ScratchGitdir> | undefined
  let begun: Promise<BlobImport> | undefined

  function scratch(): Promise<ScratchGitdir> {
    made ??= scratchGitdir(fileSystem, `${packs.temporary}.native`, request.signal)
    return made
  }

  function imported(): Promise<BlobImport> {
    begun ??= scratch().then(blobImport)
    return begun
  }

  return {
    has: (oid) => blobs.has(oid) || sink.has(oid),
    takes: "contents",
    addPacked: async () => {
      throw new Error("native git is given contents")
    },
    async add(_type, bytes, oid) {
      blobs.add(oid)
      await (await imported()).add(bytes)
    },
    async addStream(sizeBytes, chunks) {
      const hash = hasher.start()
      hash.update(objectHeader("blob", sizeBytes))
      await (await imported()).addStream(sizeBytes, chunks, (chunk) => hash.update(chunk))
      const oid = oidAt(hash.digest())
      blobs.add(oid)
      return oid
    },
    async addTrees(trees) {
      for (const { oid } of trees) newTrees.push(oid)
    },
    async deliver(captured) {
      if (blobs.size === 0 && newTrees.length === 0) return
      const gitdir = await scratch()
      await (await begun)?.end()
      if (newTrees.length > 0) {
        const tree = await writeNativeTree(gitdir, place.objects, request.base, captured)
        if (tree !== captured.tree) throw disagreement(tree, captured.tree)
      }
      const wanted = [...blobs, ...newTrees]
      const printed = await gitdir.git(["pack-objects", "-q", "--window=0", `${gitdir.packs}/new`], {
        input: utf8(wanted.map((oid) => `${oid}\n`).join("")),
      })
      await packs.addPack(`${gitdir.packs}/new-${lossyText(printed).trim()}`, wanted)
    },
    async close() {
      const nothing = (): undefined => undefined
      await (await begun?.catch(nothing))?.stop()
      await (await made?.catch(nothing))?.remove()
    },
  }
}

function disagreement(found: Oid | undefined, expected: Oid): SnapshotError {
  return new SnapshotError(
    "GIT_FAILED",
    `Native git built the tree ${found ?? "(none)"} where ${expected} belongs. Nothing was captured; use the pure backend.`,
    { args: ["write-tree"], exitStatus: 0, stderr: "" },
  )
}
