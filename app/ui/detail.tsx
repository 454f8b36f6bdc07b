import type { JSX } from "preact"
import { DiffPane } from "./diff-pane.js"
import { DetailHead } from "./detail-head.js"

/** What is selected, and what it changed. */
export function Detail(): JSX.Element {
  return (
    <section class="detail" aria-label="What changed" tabIndex={-1} data-focus="detail">
      <DetailHead />
      <DiffPane />
    </section>
  )
}
