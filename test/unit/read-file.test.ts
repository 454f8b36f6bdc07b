import { expect, test } from "vitest"
import { utf8 } from "../../src/core/bytes.js"
import type { FileStat, OpenFile } from "../../src/core/file-system.js"
import { nodeFileSystem } from "../../src/platform/node/node-file-system.js"
import { nodeHasher } from "../../src/platform/node/node-hasher.js"
import { readStable } from "../../src/tree/read-file.js"

const PORTS = { fileSystem: nodeFileSystem(), hasher: nodeHasher() }
const NOW_MS = 1_700_000_000_000

function statAt(msAgo: number, sizeBytes: number): FileStat {
  const timeNs = BigInt(NOW_MS - msAgo) * 1_000_000n + 1n
  return {
    kind: "file",
    permissions: 0o644,
    sizeBytes,
    mtimeNs: timeNs,
    ctimeNs: timeNs,
    device: 1n,
    inode: 1n,
    links: 1,
  }
}

/** A file that gives the next of `contents` each time that it is read, the last one from then on. */
function changing(contents: readonly string[], stats: readonly FileStat[]): OpenFile & { readonly reads: number } {
  let [reads, looks] = [0, 0]
  const refuse = (): Promise<never> => Promise.reject(new Error("a reader only reads"))
  return {
    get reads() {
      return reads
    },
    stat: async () => stats[Math.min(looks++, stats.length - 1)] as FileStat,
    async read(buffer) {
      const bytes = utf8(contents[Math.min(reads++, contents.length - 1)] as string)
      buffer.set(bytes.subarray(0, buffer.length))
      return Math.min(bytes.length, buffer.length)
    },
    write: refuse,
    truncate: refuse,
    chmod: refuse,
    sync: refuse,
    close: async () => {},
  }
}

const read = async (file: OpenFile): Promise<string> => {
  const content = await readStable(PORTS, file, () => NOW_MS)
  return typeof content === "string" ? content : Buffer.from(content.bytes ?? []).toString()
}

test("a file that was just written is read until it gives the same twice, since its times may not show a write", async () => {
  const file = changing(["torn", "done"], [statAt(1, 4)])
  expect(await read(file)).toBe("done")
  expect(file.reads).toBe(3)
})

test("a file whose times lie safely back is read once", async () => {
  const file = changing(["same"], [statAt(60_000, 4)])
  expect(await read(file)).toBe("same")
  expect(file.reads).toBe(1)
})

test("a file whose times or size change while it is read is read again", async () => {
  const old = statAt(60_000, 4)
  for (const other of [statAt(50_000, 4), { ...old, ctimeNs: old.ctimeNs + 1n }, { ...old, inode: 2n }]) {
    const file = changing(["torn", "done"], [old, other])
    expect(await read(file)).toBe("done")
  }
  expect(await read(changing(["cut", "long"], [old]))).toBe("long")
})

test("a file that is another one each time is said to change", async () => {
  const contents = Array.from({ length: 10 }, (_, i) => `no ${i}`)
  expect(await read(changing(contents, [statAt(1, 4)]))).toBe("changed-while-reading")
})

test("times within the grain of the system's clock, or in the future, call for a second look", async () => {
  const looks = async (stat: FileStat): Promise<number> => {
    const file = changing(["same"], [stat])
    expect(await read(file)).toBe("same")
    return file.reads
  }
  const whole = (stat: FileStat): FileStat => ({ ...stat, mtimeNs: stat.mtimeNs - 1n, ctimeNs: stat.ctimeNs - 1n })
  for (const ago of [0, 19, -5000]) expect(await looks(statAt(ago, 4)), `${ago} ms ago`).toBe(2)
  for (const ago of [21, 2400]) expect(await looks(statAt(ago, 4)), `${ago} ms ago`).toBe(1)
  // Without fractions the system keeps seconds, perhaps two at a time.
  for (const ago of [21, 2400]) expect(await looks(whole(statAt(ago, 4))), `${ago} ms ago`).toBe(2)
  expect(await looks(whole(statAt(2600, 4)))).toBe(1)
  expect(await looks({ ...statAt(60_000, 4), ctimeNs: BigInt(NOW_MS) * 1_000_000n + 1n })).toBe(2)
})

test("a read that takes long does not make a file's times old: what counts is when it began", async () => {
  const file = changing(["torn", "done"], [statAt(1, 4)])
  const content = await readStable(PORTS, file, () => NOW_MS + file.reads * 10_000)
  expect(file.reads).toBe(2)
  expect(typeof content === "string" ? content : Buffer.from(content.bytes ?? []).toString()).toBe("done")
})
