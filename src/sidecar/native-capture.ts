/*
 * Work tree to tree with native git: what it is given was read from the work tree as every capture reads it; native git
 * compresses and stores the contents and builds the trees, in a gitdir of the capture's own. The store's index, refs and
 * locks are out of its sight. All that is new comes back as one pack.
 *
 * The contents go to git on its stdin, and not as a list of paths: `git hash-object --stdin-paths` would open the files
 * itself, follow links, wait for ever on a fifo, and give up all of them for one that cannot be read.
 */
import { join } from "node:path"
import { lossyText, utf8 } from "../core/bytes.js"
import { SnapshotError } from "../core/errors.js"
import type { Hasher } from "../core/hasher.js"
import { objectHeader } from "../core/object.js"
import { oidAt, type Oid } from "../core/oid.js"
import type { CaptureBackend, CapturedTree, CapturePlace, CaptureRequest, ObjectSink } from "../core/tree-capture.js"
import { blobImport, type BlobImport } from "./blob-import.js"
import { checkGit } from "./check-git.js"
import { writeNativeTree } from "./native-tree.js"
import { scratchGitdir, type ScratchGitdir } from "./scratch-gitdir.js"

/** The native backend. Git's own failures in a capture: GIT_FAILED. */
export function nativeBackend(hasher: Hasher): CaptureBackend {
  return {
    check: checkGit,
    capture: (reader, place) => ({
      async capture(request, sink) {
        const native = nativeSink(hasher, place, request, sink)
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

/** Lets git store what `sink` has not. Git is not started before there is something to store. */
function nativeSink(hasher: Hasher, place: CapturePlace, request: CaptureRequest, sink: ObjectSink): NativeSink {
  const blobs = new Set<Oid>()
  const newTrees: Oid[] = []
  let started: Promise<{ readonly gitdir: ScratchGitdir; readonly blobs: BlobImport }> | undefined

  function start(): NonNullable<typeof started> {
    started ??= scratchGitdir(place.temporary, request.signal).then((gitdir) => ({
      gitdir,
      blobs: blobImport(gitdir),
    }))
    return started
  }

  return {
    has: (oid) => blobs.has(oid) || sink.has(oid),
    async add(_type, bytes, oid) {
      blobs.add(oid)
      await (await start()).blobs.add(bytes)
    },
    async addStream(sizeBytes, chunks) {
      const hash = hasher.start()
      hash.update(objectHeader("blob", sizeBytes))
      const { blobs: stream } = await start()
      await stream.addStream(
        sizeBytes,
        seen(chunks, (chunk) => hash.update(chunk)),
      )
      const oid = oidAt(hash.digest())
      blobs.add(oid)
      return oid
    },
    async addTrees(trees) {
      for (const { oid } of trees) newTrees.push(oid)
    },
    addPack: (path) => sink.addPack(path),
    async deliver(captured) {
      if (blobs.size === 0 && newTrees.length === 0) return
      const { gitdir, blobs: stream } = await start()
      await stream.end()
      if (newTrees.length > 0) {
        const tree = await writeNativeTree(gitdir, place.objects, request.base, captured)
        if (tree !== captured.tree) throw disagreement(tree, captured.tree)
      }
      const wanted = [...blobs, ...newTrees].map((oid) => `${oid}\n`).join("")
      const printed = await gitdir.git(["pack-objects", "-q", "--window=0", join(gitdir.packs, "new")], {
        input: utf8(wanted),
      })
      await sink.addPack(join(gitdir.packs, `new-${lossyText(printed).trim()}`))
    },
    async close() {
      const run = await started?.catch(() => undefined)
      await run?.blobs.stop()
      await run?.gitdir.remove()
    },
  }
}

async function* seen(chunks: AsyncIterable<Uint8Array>, see: (chunk: Uint8Array) => void): AsyncGenerator<Uint8Array> {
  for await (const chunk of chunks) {
    see(chunk)
    yield chunk
  }
}

function disagreement(found: Oid | undefined, expected: Oid): SnapshotError {
  return new SnapshotError(
    "GIT_FAILED",
    `Native git built the tree ${found ?? "(none)"} where ${expected} belongs. Nothing was captured; use the pure backend.`,
    { args: ["write-tree"], exitStatus: 0, stderr: "" },
  )
}
