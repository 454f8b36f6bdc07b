/* What goes to a thread that makes and swaps files, in plain pieces. */
import type { FileSwap, NewFile } from "../../core/file-batches.js"
import type { Oid } from "../../core/oid.js"
import { joinBytes, splitBytes, type JoinedBytes } from "./joined-bytes.js"
import type { Job } from "./job-thread.js"

/** Files to make. */
export interface CreateJob {
  readonly kind: "create"
  readonly addresses: readonly string[]
  readonly permissions: readonly number[]
  readonly oids: readonly string[]
  readonly entries: JoinedBytes
}

/** Files to swap. */
export interface SwapJob {
  readonly kind: "swap"
  readonly swaps: readonly FileSwap[]
}

export function createJob(files: readonly NewFile[]): Job {
  const entries = joinBytes(files.map(({ packed }) => packed.entry))
  const question: CreateJob = {
    kind: "create",
    addresses: files.map(({ address }) => address),
    permissions: files.map(({ permissions }) => permissions),
    oids: files.map(({ packed }) => packed.oid),
    entries,
  }
  return { question, handOver: [entries.bytes.buffer] }
}

export function swapJob(swaps: readonly FileSwap[]): Job {
  return { question: { kind: "swap", swaps } satisfies SwapJob }
}

/** The files that a job is to make. */
export function newFiles({ addresses, permissions, oids, entries }: CreateJob): NewFile[] {
  return splitBytes(entries).map((entry, i) => ({
    address: addresses[i] as string,
    permissions: permissions[i] as number,
    packed: { oid: oids[i] as Oid, entry: entry as Uint8Array },
  }))
}
