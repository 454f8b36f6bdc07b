import type { Oid } from "../core/oid.js"
import { SNAPSHOTS } from "../core/ref-name.js"
import type { GraphCheck } from "./check-graph.js"

/**
 * Which snapshots lost objects touch: by their ids, or by the name of the ref where the commit itself is lost; and the
 * names of other refs that reach them. The oldest snapshot comes first.
 */
export class Touched {
  readonly #graph: GraphCheck
  readonly #namers: ReadonlyMap<Oid, readonly Oid[]>
  /** What stands for an object that refs name. */
  readonly #labels = new Map<Oid, string[]>()
  readonly #ranks = new Map<string, number>()
  /** What is in one folder mostly touches the same snapshots. */
  readonly #known = new Map<string, readonly string[]>()

  /** `refs` are those to go by, `namers` the objects that name the lost ones. */
  constructor(graph: GraphCheck, refs: ReadonlyMap<string, Oid>, namers: ReadonlyMap<Oid, readonly Oid[]>) {
    this.#graph = graph
    this.#namers = namers
    const ofSnapshots = new Set<Oid>()
    for (const [name, oid] of refs) if (name.startsWith(SNAPSHOTS)) ofSnapshots.add(oid)
    for (const [name, oid] of [...refs].sort(([a], [b]) => (timeOrder(a) < timeOrder(b) ? -1 : 1))) {
      const isSnapshot = name.startsWith(SNAPSHOTS)
      // A baseline, or a pin, says no more than its snapshot.
      if (!isSnapshot && ofSnapshots.has(oid)) continue
      const label = isSnapshot && !graph.lost.has(oid) ? oid : name
      this.#labels.set(oid, [...(this.#labels.get(oid) ?? []), label])
      this.#ranks.set(label, this.#ranks.size)
    }
  }

  /** What a lost object touches; nothing for one that is not lost. */
  async by(oid: Oid): Promise<readonly string[]> {
    const namers = this.#namers.get(oid)
    if (namers === undefined) return []
    // An object that a ref names itself shares its answer with no other.
    const key = this.#labels.has(oid) ? oid : namers.join()
    const known = this.#known.get(key)
    if (known !== undefined) return known
    const reachers = await this.#graph.reachersOf(oid, namers)
    const found = this.#sorted([...reachers].flatMap((each) => this.#labels.get(each) ?? []))
    this.#known.set(key, found)
    return found
  }

  /** What any of some lost objects touches. */
  async byAny(oids: readonly Oid[]): Promise<readonly string[]> {
    const lists = new Set<readonly string[]>()
    for (const oid of oids) lists.add(await this.by(oid))
    const labels = new Set<string>()
    for (const list of lists) for (const label of list) labels.add(label)
    return this.#sorted([...labels])
  }

  #sorted(labels: readonly string[]): readonly string[] {
    const rank = (label: string): number => this.#ranks.get(label) ?? 0
    return [...new Set(labels)].sort((a, b) => rank(a) - rank(b))
  }
}

/** Refs of snapshots by time, whatever their workspace is; others behind them. */
function timeOrder(name: string): string {
  return name.startsWith(SNAPSHOTS) ? name.slice(name.lastIndexOf("/") + 1) : `~${name}`
}
