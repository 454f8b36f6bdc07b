/*
 * The program of the thread that works beside the event loop: what tree/ compares, with the ports of Node. It answers each
 * message with one, in the order in which they come.
 */
import { parentPort } from "node:worker_threads"
import { answerDiff, type DiffJob } from "./platform/node/diff-job.js"
import { nodeUnpacker } from "./platform/node/node-unpacker.js"
import { fileDiff } from "./tree/file-diff.js"

const unpacker = nodeUnpacker()

parentPort?.on("message", (job: DiffJob) => {
  parentPort?.postMessage(
    answerDiff(
      unpacker,
      (change, before, after, context) => fileDiff(change, before, after, context === undefined ? {} : { context }),
      job,
    ),
  )
})
