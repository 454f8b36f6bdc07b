/*
 * The parsers on bytes that were changed at random: each gives a value or a SnapshotError, in short time and little memory.
 */
import { SnapshotError } from "../../src/core/errors.js"
import { FUZZ_TARGETS, type FuzzTarget } from "../support/fuzz-targets.js"
import { changedBytes } from "./changed-bytes.js"
import type { Part } from "./part.js"

export const fuzz: Part = {
  name: "fuzz",
  title: "hostile bytes for the parsers",
  share: 2,
  async run({ random, isOver, ran, lose }) {
    const targets: (FuzzTarget & { readonly whole: readonly Uint8Array[] })[] = []
    for (const target of FUZZ_TARGETS) targets.push({ ...target, whole: await target.seeds() })
    while (!isOver()) {
      let executions = 0
      let refused = 0
      for (const { name, whole, seal, read } of targets)
        for (let i = 0; i < EACH; i++) {
          const changed = changedBytes(whole[random(whole.length)] ?? new Uint8Array(), random)
          // Half of them get past the checksum.
          const bytes = seal !== undefined && random(2) === 0 ? await seal(changed) : changed
          const [cpuMs, rssBytes] = [processorMs(), process.memoryUsage.rss()]
          executions++
          try {
            await read(bytes)
          } catch (error) {
            refused++
            if (!(error instanceof SnapshotError)) lose(`${name}: ${String(error)} on ${hexOf(bytes)}`)
          }
          if (processorMs() - cpuMs > LONGEST_MS) lose(`${name}: takes too long on ${hexOf(bytes)}`)
          if (process.memoryUsage.rss() - rssBytes > MOST_BYTES)
            lose(`${name}: takes too much memory on ${hexOf(bytes)}`)
        }
      ran({ executions, refused })
    }
  },
}

function processorMs(): number {
  const { user, system } = process.cpuUsage()
  return (user + system) / 1000
}

function hexOf(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("hex")
}

/** Of each target a round. */
const EACH = 40
const LONGEST_MS = 2000
const MOST_BYTES = 512 * 1024 * 1024
