/*
 * The ignore rules of a snapshot, as they were when it was taken: those of its manifest, and the ignore files in its
 * tree.
 */
import { decodeName, isInside, joinPath, parentOf, ROOT, type RepoPath } from "../core/path.js"
import type { Manifest } from "../core/manifest.js"
import { readAs, type ObjectReader } from "../core/object.js"
import type { Oid } from "../core/oid.js"
import { readTree } from "../core/tree.js"
import { ignoreRules, type IgnoreRules } from "./ignore-rules.js"
import { pathFilter } from "./path-filter.js"
import { IGNORE_FILE } from "./scan.js"

/** What a snapshot's rules say of a path that it does not hold. */
export interface RulesThen {
  /** Why the path would not have been captured had it been there; undefined when it would have been. */
  leftOut(path: RepoPath, kind: "file" | "folder"): Promise<"was-ignored" | "was-skipped" | undefined>
}

/** The rules of the snapshot with this tree and manifest. */
export function rulesThen(reader: ObjectReader, tree: Oid, manifest: Manifest): RulesThen {
  const { include, exclude, ignoreCase, ignoreSources, ignorePrefix } = manifest
  const included = pathFilter(include.length === 0 ? {} : { globs: include })
  const skipped = new Set(manifest.skipped.map(({ path }) => path))
  const outside = ignoreRules({ sources: ignoreSources, prefix: ignorePrefix, exclude, ignoreCase })
  const inFolder = new Map<RepoPath, Promise<FolderRules>>()

  function rulesAt(folder: RepoPath): Promise<FolderRules> {
    const known = inFolder.get(folder) ?? enter(folder)
    inFolder.set(folder, known)
    return known
  }

  /** The rules that count inside a folder, and its tree then. */
  async function enter(folder: RepoPath): Promise<FolderRules> {
    const above = folder === ROOT ? { rules: outside, tree, known: true } : await rulesAt(parentOf(folder))
    const entries = above.tree === undefined ? [] : await readTree(reader, above.tree)
    const own = folder === ROOT ? above.tree : entries.find((entry) => isFolderAt(entry, folder))?.oid
    const known = above.known && !skipped.has(joinPath(folder, IGNORE_FILE))
    const text = await ignoreText(folder, own)
    return { rules: text === undefined ? above.rules : above.rules.enter(folder, text), tree: own, known }
  }

  async function ignoreText(folder: RepoPath, own: Oid | undefined): Promise<string | undefined> {
    if (Object.hasOwn(manifest.ignoreFiles, folder)) return manifest.ignoreFiles[folder]
    if (own === undefined) return undefined
    const entry = (await readTree(reader, own)).find(({ name }) => name === IGNORE_FILE)
    if (entry === undefined || (entry.mode !== "100644" && entry.mode !== "100755")) return undefined
    return decodeName(await readAs(reader, entry.oid, "blob"))
  }

  return {
    async leftOut(path, kind) {
      for (const known of skipped) if (isInside(path, known)) return "was-skipped"
      if (manifest.rulesUnread.length > 0) return "was-ignored"
      if (!included(path)) return "was-ignored"
      const { rules, known } = await rulesAt(parentOf(path))
      // An ignore file that could not be read may have named anything.
      return !known || rules.ignores(path, kind) ? "was-ignored" : undefined
    },
  }
}

interface FolderRules {
  readonly rules: IgnoreRules
  readonly tree: Oid | undefined
  /** No ignore file on the way was unreadable. */
  readonly known: boolean
}

function isFolderAt(entry: { readonly mode: string; readonly name: string }, folder: RepoPath): boolean {
  return entry.mode === "40000" && entry.name === folder.slice(folder.lastIndexOf("/") + 1)
}
