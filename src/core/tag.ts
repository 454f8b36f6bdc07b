/*
 * Annotated tags: header lines, an empty line, the message.
 *
 *   object <oid> LF
 *   type <type> LF
 *   tag <name> LF
 *   tagger …
 *
 * Source: https://git-scm.com/docs/git-mktag
 */
import { lossyText } from "./bytes.js"
import { SnapshotError } from "./errors.js"
import { toOid, type Oid } from "./oid.js"

/** What the tag in `bytes` names: an object of any type, another tag included. Bytes that are no tag: OBJECT_CORRUPT with `oid`. */
export function tagTarget(bytes: Uint8Array, oid: Oid): Oid {
  const target = toOid(/^object ([0-9a-f]{40})\n/.exec(lossyText(bytes.subarray(0, 48)))?.[1] ?? "")
  if (target === undefined)
    throw new SnapshotError("OBJECT_CORRUPT", `The tag ${oid} cannot be read: it does not say what it names.`, { oid })
  return target
}
