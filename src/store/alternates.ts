/*
 * `info/alternates` in an objects folder: other objects folders to look in, one a line. Paths are absolute, or relative
 * to the objects folder. A line that begins with "#" is a comment; one that begins with a double quote holds the path
 * as Git quotes it in its output.
 *
 * Source: https://git-scm.com/docs/gitrepository-layout
 */
import type { FileSystem } from "../core/file-system.js"
import { decodeName } from "../core/path.js"

/**
 * The real paths of the objects folders that `objectsFolder` names as alternates, directly or over others, in Git's
 * order. Each comes once, whatever circles they name each other in; missing ones are left out.
 */
export async function listAlternates(fileSystem: FileSystem, objectsFolder: string): Promise<string[]> {
  const own = (await fileSystem.realPath(objectsFolder)) ?? objectsFolder
  const found = new Set<string>([own])
  await collectAlternates(fileSystem, own, found, 1)
  found.delete(own)
  return [...found]
}

/** The alternates that the content of an `info/alternates` file names, absolute or relative. */
function parseAlternates(content: Uint8Array): string[] {
  const paths: string[] = []
  for (let at = 0; at < content.length;) {
    const newline = content.indexOf(0x0a, at)
    const line = content.subarray(at, newline < 0 ? content.length : newline)
    at += line.length + 1
    if (line.length > 0 && line[0] !== HASH) paths.push(decodeName(unquoted(line) ?? line))
  }
  return paths
}

async function collectAlternates(
  fileSystem: FileSystem,
  objectsFolder: string,
  found: Set<string>,
  level: number,
): Promise<void> {
  const content = level > LEVELS ? undefined : await fileSystem.readFile(`${objectsFolder}/info/alternates`)
  if (content === undefined) return
  for (const path of parseAlternates(content)) {
    const real = await fileSystem.realPath(isAbsolute(path) ? path : `${objectsFolder}/${path}`)
    if (real === undefined || found.has(real)) continue
    found.add(real)
    await collectAlternates(fileSystem, real, found, level + 1)
  }
}

function isAbsolute(path: string): boolean {
  return path.startsWith("/") || /^(?:[A-Za-z]:)?[\\/]/.test(path)
}

/** The bytes between the quotes, with escapes replaced; undefined when the line is not quoted to its end. */
function unquoted(line: Uint8Array): Uint8Array | undefined {
  if (line[0] !== QUOTE) return undefined
  const bytes: number[] = []
  let at = 1
  while (at < line.length - 1) {
    const byte = line[at++] as number
    if (byte === QUOTE) return undefined
    if (byte !== BACKSLASH) {
      bytes.push(byte)
      continue
    }
    const rest = String.fromCharCode(...line.subarray(at, Math.min(at + 3, line.length - 1)))
    const octal = /^[0-3][0-7]{2}/.exec(rest)
    const plain = ESCAPES[rest.slice(0, 1)]
    if (octal === null && plain === undefined) return undefined
    bytes.push(octal === null ? (plain as number) : Number.parseInt(rest, 8))
    at += octal === null ? 1 : 3
  }
  return line.length > 1 && line.at(-1) === QUOTE ? Uint8Array.from(bytes) : undefined
}

/** As deep as Git itself follows them. */
const LEVELS = 6
const HASH = 0x23
const QUOTE = 0x22
const BACKSLASH = 0x5c
const ESCAPES: Readonly<Record<string, number>> = {
  a: 7,
  b: 8,
  t: 9,
  n: 10,
  v: 11,
  f: 12,
  r: 13,
  '"': QUOTE,
  "\\": BACKSLASH,
}
