import { createHash } from "node:crypto"
import { readFile } from "node:fs/promises"
import { join } from "node:path"
import { peakRssBytes, type Contender } from "../contender.js"
import { listFiles } from "../list-files.js"

/** Reads and hashes every file and stores nothing: what no capture that reads its files can be faster than, in one thread. */
export const contender: Contender = {
  async run(tree) {
    const start = performance.now()
    const { files } = await listFiles(tree)
    for (let i = 0; i < files.length; i += 32) await Promise.all(files.slice(i, i + 32).map((file) => hash(tree, file)))
    return { coldMs: performance.now() - start, peakRssBytes: peakRssBytes() }
  },
}

async function hash(tree: string, path: string): Promise<string> {
  const bytes = await readFile(join(tree, path))
  return createHash("sha1").update(`blob ${bytes.length}\0`).update(bytes).digest("hex")
}
