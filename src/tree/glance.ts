import type { Clock } from "../core/clock.js"
import type { ContentReader } from "../core/content-reader.js"
import type { Oid } from "../core/oid.js"
import type { CapturedTree, Glance } from "../core/tree-capture.js"
import { confirmRows } from "./confirm-rows.js"
import type { KnownTree, KnownView } from "./known-tree.js"
import type { RulesSource } from "./rules-now.js"
import type { StatCache } from "./stat-cache.js"

/** What a glance needs. */
export interface GlanceOptions {
  /** The real path of the work tree. */
  readonly worktree: string
  readonly rules: RulesSource
  readonly clock: Clock
  /** Reads the files of the work tree where there are many. */
  readonly contentReader?: ContentReader
  /** What the last capture found. */
  readonly statCache?: StatCache | undefined
}

/** A look at all paths that are known. */
export class KnownGlance implements Glance {
  readonly known: KnownTree
  readonly view: KnownView
  readonly #isSameRules: boolean

  constructor(known: KnownTree, view: KnownView, isSameRules: boolean) {
    this.known = known
    this.view = view
    this.#isSameRules = isSameRules
  }

  unchanged(tree: Oid): CapturedTree | undefined {
    const { manifest, files: filesScanned } = this.known
    if (!this.#isSameRules || !this.view.isSame || this.known.tree !== tree) return undefined
    const { filesRead, bytesRead } = this.view
    return { tree, trees: new Map(), manifest, stats: { filesScanned, filesRead, bytesRead } }
  }
}

/** Compares what the last capture found with the file system; undefined where nothing is known. */
export async function glanceAt(options: GlanceOptions): Promise<KnownGlance | undefined> {
  const { statCache, rules, worktree, clock, contentReader: reader } = options
  const known = await statCache?.known()
  if (statCache === undefined || known === undefined) return undefined
  const { rulesStamp, rulesDigest } = known
  const [view, isStill] = await Promise.all([
    statCache.view(known, worktree, reader && ((seen) => confirmRows(reader, seen, worktree, clock.nowMs()))),
    rulesStamp !== undefined && rules.isStill(rulesStamp),
  ])
  // Where something changed, the rules are read in any case.
  const isSameRules = isStill || (view.isSame && (await rules.now()).digest === rulesDigest)
  return new KnownGlance(known, view, isSameRules)
}
