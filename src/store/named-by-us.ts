import type { Hasher } from "../core/hasher.js"
import { oidAt, oidBytes } from "../core/oid.js"
import type { PackIndex } from "../core/pack-index.js"

/**
 * Whether a capture or a maintenance of ours named the pack, so that only captures of ours count on it. Other tools name a
 * pack after its checksum or after the objects in it, and the lease in the name of ours is gone by now: a name of that form
 * that is neither is taken for ours.
 * Source: https://git-scm.com/docs/git-pack-objects (base-name)
 */
export async function isNamedByUs(hasher: Hasher, name: string, index: PackIndex): Promise<boolean> {
  if (!/^pack-[0-9a-f]{40}$/.test(name) || name === `pack-${oidAt(index.packChecksum)}`) return false
  const oids = Array.from(index.entries(), ({ oid }) => oidBytes(oid))
  return name !== `pack-${oidAt(await hasher.sha1(oids))}`
}
