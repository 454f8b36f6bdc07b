import { readFile, stat, writeFile } from "node:fs/promises"
import { join } from "node:path"
import type { BenchTree } from "./make-tree.js"

/** How many files the scenarios edit that edit many. */
const MANY = 1000
const TEXT = /\.(?:[cm]?[jt]sx?|json|css|md|map)$/
const SIZES = { least: 200, most: 512 * 1024 }

/** The text files that are edited, evenly spread over the tree; always the same. */
export async function editedPaths({ folder, paths }: BenchTree): Promise<string[]> {
  const texts = paths.filter((path) => TEXT.test(path))
  const step = texts.length / MANY
  const chosen: string[] = []
  for (let place = 0; place < texts.length; place++) {
    if (place < chosen.length * step) continue
    const path = texts[place] ?? ""
    const { size } = await stat(join(folder, path))
    if (size >= SIZES.least && size <= SIZES.most) chosen.push(path)
  }
  return chosen
}

/** Writes the files anew below `copy`, each with a few bytes more in its middle, which say `edit`. */
export async function editFiles(tree: BenchTree, copy: string, paths: readonly string[], edit: string): Promise<void> {
  const text = Buffer.from(` edit ${edit} `)
  for (const path of paths) {
    const bytes = await readFile(join(tree.folder, path))
    const middle = characterStart(bytes, Math.floor(bytes.length / 2))
    await writeFile(join(copy, path), Buffer.concat([bytes.subarray(0, middle), text, bytes.subarray(middle)]))
  }
}

/** Throws unless the files are what they were before all edits. */
export async function requireOriginals(tree: BenchTree, copy: string, paths: readonly string[]): Promise<void> {
  for (const path of paths) {
    const [is, was] = await Promise.all([readFile(join(copy, path)), readFile(join(tree.folder, path))])
    if (!is.equals(was)) throw new Error(`${join(copy, path)} was not restored to what it was`)
  }
}

/** The place at or before `place` where a character of UTF-8 begins. */
function characterStart(bytes: Uint8Array, place: number): number {
  let start = place
  while (start > 0 && ((bytes[start] ?? 0) & 0xc0) === 0x80) start--
  return start
}
