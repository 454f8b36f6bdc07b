import fs from "node:fs"
import { join } from "node:path"
import { pathToFileURL } from "node:url"
import { describe, expect, it } from "vitest"
import {
  ALL_TOLD,
  AS_TOLD,
  FILE_ROW,
  FOLDER_ROW,
  type StatChecker,
  type ToldColumns,
} from "../../src/core/stat-checker.js"
import { statThreads } from "../../src/platform/node/stat-threads.js"
import { StatTableWriter, type NamedTable } from "../../src/tree/stat-table.js"
import { temporaryFolder } from "../support/temporary-folder.js"

const WORKER = new URL("../../dist/platform/node/stat-worker.js", import.meta.url)
const FOLDERS = 30
const FILES = 100

/** Paths, what was known of them, and the rows of those that changed since. */
interface Edited {
  readonly root: string
  readonly known: NamedTable
  readonly expected: readonly number[]
}

async function edited(): Promise<Edited> {
  const root = join(await temporaryFolder(), "work")
  const writer = new StatTableWriter()
  const rows = new Map<string, number>()
  const add = (path: string, name: string, kind: number): number => {
    const { mtimeNs, ctimeNs, ino, mode, size } = fs.lstatSync(join(root, path), { bigint: true })
    const seen = { mtimeNs, ctimeNs, inode: ino, permissions: Number(mode & 0o7777n), sizeBytes: Number(size) }
    const row = writer.add({ kind, name, marks: 0, oid: undefined, ...seen })
    rows.set(path, row)
    return row
  }
  for (let folder = 0; folder < FOLDERS; folder++) {
    fs.mkdirSync(join(root, `folder-${folder}`), { recursive: true })
    for (let file = 0; file < FILES; file++) fs.writeFileSync(join(root, `folder-${folder}/file-${file}`), "")
  }
  const before1970 = new Date(-1234)
  fs.utimesSync(join(root, "folder-3/file-3"), before1970, before1970)
  const first = add("", "", FOLDER_ROW)
  for (let folder = 0; folder < FOLDERS; folder++) {
    const row = add(`folder-${folder}`, `folder-${folder}`, FOLDER_ROW)
    for (let file = 0; file < FILES; file++) add(`folder-${folder}/file-${file}`, `file-${file}`, FILE_ROW)
    writer.close(row)
  }
  writer.close(first)
  fs.appendFileSync(join(root, "folder-0/file-1"), "more")
  fs.chmodSync(join(root, "folder-11/file-0"), 0o755)
  fs.rmSync(join(root, "folder-29/file-99"))
  const changed = ["folder-0/file-1", "folder-11/file-0", "folder-29", "folder-29/file-99"]
  return { root, known: writer.finish(), expected: changed.map((path) => rows.get(path) ?? -1) }
}

async function changedRows(checker: StatChecker, { root, known }: Edited): Promise<readonly number[]> {
  return Array.from(await checker.changed(root, known.table, known.names)).toSorted((a, b) => a - b)
}

describe("many paths that are compared together", () => {
  it("are each compared, whether threads are there, still start, or were told to start before", async () => {
    const files = await edited()
    const checker = statThreads(WORKER)
    expect(await changedRows(checker, files)).toEqual(files.expected)
    for (let i = 0; i < 20; i++) expect(await changedRows(checker, files)).toEqual(files.expected)
    const prepared = statThreads(WORKER)
    prepared.prepare()
    expect(await changedRows(prepared, files)).toEqual(files.expected)
  })

  it("are each compared for each of many who ask at once", async () => {
    const files = await edited()
    const checker = statThreads(WORKER)
    const answers = await Promise.all(Array.from({ length: 10 }, () => changedRows(checker, files)))
    expect(answers).toEqual(answers.map(() => files.expected))
  })

  it("are each compared where no thread can be had", async () => {
    const files = await edited()
    const checker = statThreads(new URL("./no-such-file.js", import.meta.url))
    checker.prepare()
    for (let i = 0; i < 3; i++) expect(await changedRows(checker, files)).toEqual(files.expected)
  })

  it("are each compared when a thread takes some and ends", async () => {
    const files = await edited()
    const program = join(await temporaryFolder(), "worker.mjs")
    fs.writeFileSync(
      program,
      `import { parentPort } from "node:worker_threads"
      parentPort.on("message", ({ taken }) => {
        Atomics.add(taken, 0, 1)
        process.exit(0)
      })`,
    )
    for (let i = 0; i < 10; i++)
      expect(await changedRows(statThreads(pathToFileURL(program)), files)).toEqual(files.expected)
  })
})

/** What is left of the rows when only what an index would tell of them is. */
function told({ known }: Edited): ToldColumns {
  const { table } = known
  const found = new Uint8Array(new SharedArrayBuffer(table.count))
  const inodes = new BigInt64Array(new SharedArrayBuffer(8 * table.count))
  for (const [row, inode] of table.inodes.entries()) inodes[row] = BigInt.asUintN(32, inode)
  const permissions = new Uint32Array(new SharedArrayBuffer(4 * table.count))
  return { ...table, inodes, permissions, found }
}

describe("many paths that are surveyed together", () => {
  it.each([
    ["by threads", WORKER],
    ["on the calling thread, where no thread can be had", new URL("./no-such-file.js", import.meta.url)],
  ])("are each filled in, unless they changed: %s", async (_, program) => {
    const files = await edited()
    const checker = statThreads(program)
    for (let i = 0; i < 3; i++) {
      const rows = told(files)
      await checker.survey(files.root, rows, files.known.names).finish()
      const { table } = files.known
      for (let row = 0; row < table.count; row++) {
        const isFolder = table.kinds[row] === FOLDER_ROW
        const name = files.known.names.slice(table.nameStarts[row], table.nameStarts[row + 1])
        // Nobody told what a folder was.
        const isAsTold = isFolder || !files.expected.includes(row)
        const isAllTold = isFolder && name !== "folder-29"
        expect(rows.found[row]).toBe(!isAsTold ? 0 : isAllTold ? AS_TOLD | ALL_TOLD : AS_TOLD)
        if (!isAsTold) continue
        expect(rows.inodes[row]).toBe(table.inodes[row])
        expect(rows.permissions[row]).toBe(table.permissions[row])
      }
    }
  })
})
