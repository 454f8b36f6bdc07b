import { signal, type Signal } from "@preact/signals"

/** How the diff is to be seen. */
export interface ViewSettings {
  readonly layout: Signal<"unified" | "split">
  /** Only files whose path has this in it. */
  readonly search: Signal<string>
  /** Whether files are folded unless somebody unfolds them. */
  readonly foldsAll: Signal<boolean>
  /** Those that are the other way. */
  readonly turned: Signal<ReadonlySet<string>>
  fold(path: string, folded: boolean): void
  foldAll(folded: boolean): void
}

export function viewSettings(): ViewSettings {
  const foldsAll = signal(false)
  const turned = signal<ReadonlySet<string>>(new Set())
  return {
    layout: signal<"unified" | "split">("unified"),
    search: signal(""),
    foldsAll,
    turned,
    fold(path, folded) {
      const next = new Set(turned.value)
      if (folded === foldsAll.value) next.delete(path)
      else next.add(path)
      turned.value = next
    },
    foldAll(folded) {
      foldsAll.value = folded
      turned.value = new Set()
    },
  }
}
