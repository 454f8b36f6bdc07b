/*
 * Blobs into a pack, by one `git fast-import` that gets their contents on its stdin.
 *
 *   blob LF
 *   data <size> LF
 *   <content> LF
 *   …
 *   done LF
 *
 * Source: https://git-scm.com/docs/git-fast-import
 */
import { concat, utf8 } from "../core/bytes.js"
import { MeasuredSource } from "../core/measured-source.js"
import { feed, type Feed } from "./feed.js"
import type { ScratchGitdir } from "./scratch-gitdir.js"

/** Takes blobs, one after the other. */
export interface BlobImport {
  /** Stores a blob. GIT_FAILED when git ended before it had all of it. */
  add(bytes: Uint8Array): Promise<void>
  /**
   * Stores a blob from pieces, and shows each to `see`. When `chunks` throws, with what it threw, or gives another number
   * of bytes than `sizeBytes`, with INVALID_ARGUMENT, it rejects; some other blob is stored then.
   */
  addStream(sizeBytes: number, chunks: AsyncIterable<Uint8Array>, see: (chunk: Uint8Array) => void): Promise<void>
  /** Resolves when all of them are in packs. */
  end(): Promise<void>
  /** Ends git, whatever it has. */
  stop(): Promise<void>
}

/** Starts importing into `gitdir`. */
export function blobImport(gitdir: ScratchGitdir): BlobImport {
  const input = feed()
  const running = gitdir.git(["fast-import", "--done", "--quiet", "--depth=0"], { input })
  // Told to the calls that wait for it; one that nobody waits for any more is of no interest.
  running.catch(() => {})
  let turn: Promise<unknown> = Promise.resolve()

  function inTurn(step: () => Promise<void>): Promise<void> {
    const mine = turn.then(step)
    turn = mine.catch(() => {})
    return mine
  }

  return {
    add: (bytes) => inTurn(() => put(input, running, concat([header(bytes.length), bytes, LF]))),
    addStream: (sizeBytes, chunks, see) =>
      inTurn(async () => {
        let missing = sizeBytes
        const failures: unknown[] = []
        const source = new MeasuredSource(chunks, sizeBytes, see)
        await put(input, running, header(sizeBytes))
        try {
          for await (const chunk of source.chunks()) {
            missing -= chunk.length
            await put(input, running, chunk)
          }
        } catch (error) {
          failures.push(error)
        }
        // What was begun cannot be taken back: git waits for as many bytes as it was told.
        for (; missing > 0; missing -= Math.min(missing, FILLER.length))
          await put(input, running, FILLER.subarray(0, Math.min(missing, FILLER.length)))
        await put(input, running, LF)
        if (failures.length > 0) throw failures[0]
      }),
    async end() {
      await inTurn(() => put(input, running, DONE))
      input.end()
      await running
    },
    async stop() {
      input.end()
      await running.catch(() => {})
    },
  }
}

async function put(input: Feed, running: Promise<unknown>, piece: Uint8Array): Promise<void> {
  if (await input.put(piece)) return
  await running
  throw new Error("the import has ended")
}

function header(sizeBytes: number): Uint8Array {
  return utf8(`blob\ndata ${sizeBytes}\n`)
}

const LF = utf8("\n")
const DONE = utf8("done\n")
const FILLER = new Uint8Array(64 * 1024)
