import { lossyText } from "../core/bytes.js"
import type { Change, FileDiff } from "../core/change.js"
import { isBinary } from "./binary-patch.js"
import { textHunks } from "./hunks.js"
import { patchSections, sectionHeader, sectionLabels, type PatchOptions } from "./patch.js"

/**
 * A change with its line counts and its patch as text, for people. Contents are given as for filePatch, with the same
 * errors. Binaries have no counts and show as "Binary files … differ".
 */
export function fileDiff(
  change: Change,
  before: Uint8Array | undefined,
  after: Uint8Array | undefined,
  options: PatchOptions = {},
): FileDiff {
  let patch = ""
  let additions = 0
  let deletions = 0
  // Of one content before and after no line shows; what it is, is known all the same.
  let binary = change.before?.oid === change.after?.oid && after !== undefined && isBinary(after)
  for (const section of patchSections(change, before, after)) {
    patch += sectionHeader(section)
    if (section.content === "binary") {
      binary = true
      patch += `Binary files ${sectionLabels(section).join(" and ")} differ\n`
      continue
    }
    const hunks = textHunks(section.before, section.after, options.context)
    additions += hunks.additions
    deletions += hunks.deletions
    patch += lossyText(hunks.bytes)
  }
  return { ...change, additions, deletions, binary, patch }
}
