import { concat, utf8 } from "../core/bytes.js"
import type { Change, FileVersion } from "../core/change.js"
import type { Deflater } from "../core/deflater.js"
import { SnapshotError } from "../core/errors.js"
import { OID_BYTES } from "../core/oid.js"
import { escapePath } from "../core/path.js"
import { quotePath } from "../core/quote-path.js"
import { binaryPatch, isBinary } from "./binary-patch.js"
import { textHunks } from "./hunks.js"

/** How to write a patch. */
export interface PatchOptions {
  /** Lines of context around a change; 3 unless given. `git apply` takes 0 only with --unidiff-zero. */
  readonly context?: number
}

/**
 * One change as Git writes it in a patch with full object ids and binaries: bytes that `git apply` takes, forwards and
 * in reverse. Put one behind the other, in order of path, such parts are a whole patch. `before` and `after` are the
 * contents (of a link its text); they may be left out where there is no such side, for gitlinks, and where both sides
 * have the same content. A content that is missing: INVALID_ARGUMENT.
 * Source: "Generating patch text with -p" in https://git-scm.com/docs/git-diff
 */
export async function filePatch(
  deflater: Pick<Deflater, "deflate">,
  change: Change,
  before: Uint8Array | undefined,
  after: Uint8Array | undefined,
  options: PatchOptions = {},
): Promise<Uint8Array> {
  const parts: Uint8Array[] = []
  for (const section of patchSections(change, before, after)) {
    parts.push(utf8(sectionHeader(section)))
    if (section.content === "binary") parts.push(await binaryPatch(deflater, section.before, section.after))
    else parts.push(textHunks(section.before, section.after, options.context).bytes)
  }
  return concat(parts)
}

/** What stands under one "diff --git" line. */
export interface PatchSection {
  readonly path: string
  readonly beforeVersion: FileVersion | undefined
  readonly afterVersion: FileVersion | undefined
  /** Contents; empty on a side that is not there, and on both when they are the same. */
  readonly before: Uint8Array
  readonly after: Uint8Array
  readonly content: "same" | "text" | "binary"
}

/** The sections of a change: one, or for a typechange two, as Git takes the old thing away and adds the new one. */
export function patchSections(
  change: Change,
  before: Uint8Array | undefined,
  after: Uint8Array | undefined,
): PatchSection[] {
  const { path, before: old, after: now } = change
  if (change.status !== "typechange") return [sectionOf(path, old, now, before, after)]
  return [sectionOf(path, old, undefined, before, undefined), sectionOf(path, undefined, now, undefined, after)]
}

/** The lines of a section up to its content, "---" and "+++" included: nothing but ASCII. */
export function sectionHeader(section: PatchSection): string {
  const { path, beforeVersion: old, afterVersion: now } = section
  const lines = [`diff --git ${quotePath(path, "a/")} ${quotePath(path, "b/")}`]
  if (old === undefined) lines.push(`new file mode ${now?.mode}`)
  else if (now === undefined) lines.push(`deleted file mode ${old.mode}`)
  else if (old.mode !== now.mode) lines.push(`old mode ${old.mode}`, `new mode ${now.mode}`)
  if (old?.oid !== now?.oid) {
    const mode = old?.mode === now?.mode ? ` ${old?.mode}` : ""
    lines.push(`index ${old?.oid ?? NO_OID}..${now?.oid ?? NO_OID}${mode}`)
  }
  if (section.content === "text" && section.before.length + section.after.length > 0) {
    const [from, to] = sectionLabels(section)
    lines.push(`--- ${tabbed(from)}`, `+++ ${tabbed(to)}`)
  }
  return `${lines.join("\n")}\n`
}

/** What a section calls its two sides. */
export function sectionLabels(section: PatchSection): readonly [before: string, after: string] {
  return [
    section.beforeVersion === undefined ? "/dev/null" : quotePath(section.path, "a/"),
    section.afterVersion === undefined ? "/dev/null" : quotePath(section.path, "b/"),
  ]
}

function sectionOf(
  path: string,
  old: FileVersion | undefined,
  now: FileVersion | undefined,
  before: Uint8Array | undefined,
  after: Uint8Array | undefined,
): PatchSection {
  const section = { path, beforeVersion: old, afterVersion: now }
  if (old?.oid === now?.oid) return { ...section, before: NOTHING, after: NOTHING, content: "same" }
  const left = contentOf(path, old, before, "before")
  const right = contentOf(path, now, after, "after")
  return { ...section, before: left, after: right, content: isBinary(left) || isBinary(right) ? "binary" : "text" }
}

function contentOf(
  path: string,
  version: FileVersion | undefined,
  content: Uint8Array | undefined,
  argument: "before" | "after",
): Uint8Array {
  if (version === undefined) return NOTHING
  if (version.mode === "160000") return utf8(`Subproject commit ${version.oid}\n`)
  if (content !== undefined) return content
  throw new SnapshotError(
    "INVALID_ARGUMENT",
    `The content of ${escapePath(path)} ${argument} the change is needed for a patch.`,
    {
      argument,
    },
  )
}

/** A name with a space is ended by a tab, so that no tool takes what follows it for a date. */
function tabbed(label: string): string {
  return label.includes(" ") ? `${label}\t` : label
}

const NOTHING = new Uint8Array(0)
const NO_OID = "0".repeat(2 * OID_BYTES)
