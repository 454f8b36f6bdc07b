/* A thread that reads, hashes and compresses files. */
import { parentPort } from "node:worker_threads"
import { AnswerWriter, decodeBatch, type ContentBatch } from "./content-batch.js"
import { SynchronousReader } from "./read-content.js"

/** Entries are sent on when there are so many bytes of them, however many files of the batch are left. */
const SENT_BYTES = 256 * 1024

const reader = new SynchronousReader()

parentPort?.on("message", (batch: ContentBatch) => {
  let answers = new AnswerWriter()
  const send = (): void => {
    const taken = answers.take()
    answers = new AnswerWriter()
    parentPort?.postMessage(taken, [taken.entries.buffer as ArrayBuffer])
  }
  for (const file of decodeBatch(batch)) {
    answers.add(reader.read(file, batch.limitBytes))
    if (answers.bytes > SENT_BYTES) send()
  }
  if (answers.count > 0) send()
  reader.rest()
})
