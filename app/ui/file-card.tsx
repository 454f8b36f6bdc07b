import type { JSX } from "preact"
import { useEffect } from "preact/hooks"
import type { Change } from "../../src/snapshot-store.js"
import type { Range } from "../model/comparison.js"
import { STATUS_WORDS } from "../model/words.js"
import { FileBody } from "./file-body.js"
import { PathName } from "./path-name.js"
import { useSession } from "./session-context.js"

interface FileCardProps {
  readonly range: Range
  readonly change: Change
  readonly folded: boolean
  readonly onFold: (folded: boolean) => void
}

/** One file: what became of it, and its lines below. */
export function FileCard({ range, change, folded, onFold }: FileCardProps): JSX.Element {
  const { patches, connectionState } = useSession()
  const patch = patches.of(range, change).value
  const isConnected = connectionState.value === "connected"
  // The lines of a folded file are counted too, as long as it is in view.
  useEffect(() => (isConnected ? patches.want(range, change) : undefined), [range, change, isConnected])
  const diff = patch.state === "ready" ? patch.value : undefined
  const hasLines = diff !== undefined && !diff.binary && diff.additions + diff.deletions > 0
  return (
    <details
      class="file"
      open={!folded}
      onToggle={({ currentTarget }) => {
        if (currentTarget.open === folded) onFold(!currentTarget.open)
      }}
    >
      <summary>
        <span class={`status ${change.status}`} title={STATUS_WORDS[change.status]}>
          <span aria-hidden="true">{LETTERS[change.status]}</span>
          <span class="unseen">{STATUS_WORDS[change.status]}</span>
        </span>
        <PathName path={change.path} />
        {hasLines && (
          <span class="lines">
            {diff.additions > 0 && <span class="plus">+{diff.additions.toLocaleString("en-US")}</span>}
            {diff.deletions > 0 && <span class="minus">−{diff.deletions.toLocaleString("en-US")}</span>}
          </span>
        )}
      </summary>
      {!folded && <FileBody change={change} patch={patch} />}
    </details>
  )
}

const LETTERS: Readonly<Record<Change["status"], string>> = { added: "A", deleted: "D", modified: "M", typechange: "T" }
