import { isInside } from "../core/path.js"
import type { Change } from "../snapshot-store.js"
import type { Place } from "./place.js"

/**
 * The changes since the tree `from` without two kinds that nothing happened to: files that look deleted because a rule
 * names them now, though they are there; and nested repositories that native git had stored as a gitlink, with their
 * files.
 */
export async function visibleChanges<Item extends Change>(
  place: Place,
  from: string,
  changes: readonly Item[],
): Promise<Item[]> {
  const gitlinks = changes.filter(isGitlink).map(({ path }) => path)
  const own = changes.filter(({ path }) => !gitlinks.some((gitlink) => isInside(path, gitlink)))
  const ignored = await ignoredNow(place, from, own)
  return own.filter(({ path }) => !ignored.has(path))
}

function isGitlink({ before, after }: Change): boolean {
  return before?.mode === "160000" || after?.mode === "160000"
}

/** A plan says why it would not bring back a file that is gone from the tree and stands in the work tree. */
async function ignoredNow(place: Place, from: string, changes: readonly Change[]): Promise<ReadonlySet<string>> {
  const standing: string[] = []
  for (const { path, status } of changes) if (status === "deleted" && (await place.isFile(path))) standing.push(path)
  if (standing.length === 0) return new Set()
  const { keeps } = await place.store.plan({ to: from }, { paths: standing, added: "keep", signal: place.closing })
  return new Set(
    keeps.filter(({ reason, theirs }) => reason === "ignored" && theirs !== undefined).map(({ path }) => path),
  )
}
