/*
 * The program of the thread that works beside the event loop: what tree/ compares, and what a restore does to files, with
 * the ports of Node. It answers each message with one, in the order in which they come.
 */
import fs from "node:fs"
import { parentPort } from "node:worker_threads"
import { newFiles, type CreateJob, type SwapJob } from "./platform/node/batch-job.js"
import { answerDiff, type DiffJob } from "./platform/node/diff-job.js"
import { nodeUnpacker } from "./platform/node/node-unpacker.js"
import { createNow, swapNow } from "./platform/node/swap-now.js"
import { fileDiff } from "./tree/file-diff.js"

const unpacker = nodeUnpacker()

// Whoever started it waits for a first message.
parentPort?.postMessage("ready")
parentPort?.on("message", (job: DiffJob | CreateJob | SwapJob) => parentPort?.postMessage(answerTo(job)))

function answerTo(job: DiffJob | CreateJob | SwapJob): unknown {
  switch (job.kind) {
    case "diff":
      return answerDiff(unpacker, fileDiff, job)
    case "create":
      return newFiles(job).map((file) => createNow(fs, unpacker, file))
    case "swap":
      return job.swaps.map((swap) => swapNow(fs, swap))
  }
}
