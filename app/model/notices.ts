import { signal, type ReadonlySignal } from "@preact/signals"
import { isDisconnected, problemOf } from "./problem.js"

/** A short message at the page's foot. */
export interface Notice {
  readonly id: number
  readonly kind: "done" | "problem"
  readonly text: string
  readonly action?: { readonly label: string; readonly run: () => void }
}

/** The messages that stand at the page's foot. */
export interface Notices {
  readonly shown: ReadonlySignal<readonly Notice[]>
  /** Shows one in the place of those that tell of something done. */
  tell(notice: Omit<Notice, "id">): void
  /** Shows what a call failed with. */
  tellProblem(error: unknown): void
  dismiss(id: number): void
}

export function notices(): Notices {
  const shown = signal<readonly Notice[]>([])
  let last = 0

  function tell(notice: Omit<Notice, "id">): void {
    const others = shown.value.filter(({ kind, text }) => kind === "problem" && text !== notice.text)
    shown.value = [...others, { ...notice, id: ++last }].slice(-MOST_SHOWN)
  }

  return {
    shown,
    tell,
    tellProblem(error) {
      const problem = problemOf(error)
      if (!isDisconnected(problem)) tell({ kind: "problem", text: problem.message })
    },
    dismiss(id) {
      shown.value = shown.value.filter((notice) => notice.id !== id)
    },
  }
}

const MOST_SHOWN = 3
