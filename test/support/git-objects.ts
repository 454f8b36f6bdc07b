import fs from "node:fs"
import { join } from "node:path"
import type { GitObject, ObjectType } from "../../src/core/object.js"
import type { Oid } from "../../src/core/oid.js"
import { git } from "./git.js"

/** Every object of a repository, as native git reads it. */
export function gitObjects(repository: string): Map<Oid, GitObject> {
  const output = git(["cat-file", "--batch", "--batch-all-objects", "--unordered"], { cwd: repository }).stdout
  const objects = new Map<Oid, GitObject>()
  for (let at = 0; at < output.length;) {
    const newline = output.indexOf(0x0a, at)
    const [oid, type, size] = output.subarray(at, newline).toString().split(" ")
    const start = newline + 1
    at = start + Number(size) + 1
    objects.set(oid as Oid, { type: type as ObjectType, bytes: Uint8Array.from(output.subarray(start, at - 1)) })
  }
  return objects
}

/**
 * Makes a bare repository with a history whose files change a little from commit to commit, so that git finds deltas
 * many levels deep, and with an object of each type, an empty one and one of 1.3 MB that does not compress.
 */
export function historyRepository(folder: string, commits = 60): string {
  const repository = join(folder, "history.git")
  git(["init", "-q", "--bare", repository])
  const lines = Array.from({ length: 200 }, (_, i) => `line ${i} ${noise(i, 8).toString("hex")}\n`)
  const stream: Uint8Array[] = []
  const put = (text: string): unknown => stream.push(Buffer.from(text))
  const data = (bytes: Uint8Array): unknown => {
    put(`data ${bytes.length}\n`)
    return stream.push(bytes, Buffer.from("\n"))
  }
  for (let i = 1; i <= commits; i++) {
    lines[(i * 37) % lines.length] = `changed by ${i}\n`
    put(`commit refs/heads/main\ncommitter A <a@b> ${1_600_000_000 + i} +0000\n`)
    data(Buffer.from(`commit ${i}\n`))
    put("M 100644 inline src/main.txt\n")
    data(Buffer.from(lines.join("")))
    put(`M 100644 inline src/deep/${i}.txt\n`)
    data(Buffer.from(`file ${i}\n`))
    if (i === 1) {
      put("M 100755 inline empty\n")
      data(Buffer.alloc(0))
      put("M 100644 inline large.bin\n")
      data(noise(1, 1_300_000))
    }
  }
  put("tag v1\nfrom refs/heads/main\ntagger A <a@b> 1600000000 +0000\n")
  data(Buffer.from("a tag\n"))
  git(["-c", "fastimport.unpackLimit=1", "fast-import", "--quiet"], { cwd: repository, input: Buffer.concat(stream) })
  return repository
}

/** Paths, without extension, of a repository's packs. */
export function packsOf(repository: string): string[] {
  const folder = join(repository, "objects/pack")
  const names = fs.readdirSync(folder).filter((name) => name.endsWith(".pack"))
  return names.toSorted().map((name) => join(folder, name.slice(0, -".pack".length)))
}

/** Bytes that do not compress, the same ones for each seed. */
export function noise(seed: number, length: number): Buffer {
  const words = new Uint32Array(Math.ceil(length / 4))
  let state = (seed * 2_654_435_761 + 1) >>> 0
  for (let i = 0; i < words.length; i++) {
    state ^= state << 13
    state ^= state >>> 17
    state ^= state << 5
    words[i] = state
  }
  return Buffer.from(words.buffer, 0, length)
}
