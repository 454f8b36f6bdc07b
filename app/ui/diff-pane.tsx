import type { JSX } from "preact"
import { useMemo } from "preact/hooks"
import type { Change } from "../../src/snapshot-store.js"
import { Button } from "./button.js"
import { DiffList } from "./diff-list.js"
import { DiffToolbar } from "./diff-toolbar.js"
import { useSession } from "./session-context.js"
import { Empty, Failed, Loading } from "./states.js"

/** The files that differ. */
export function DiffPane(): JSX.Element {
  const { comparison, selection } = useSession()
  const changes = comparison.changes.value
  const range = comparison.range.value
  if (range === undefined) return <NothingBefore />
  if (changes.state === "loading") return <Loading what="Comparing …" />
  if (changes.state === "failed") return <Failed problem={changes.problem} onRetry={() => comparison.reload()} />
  if (changes.value.length > 0) return <Files changes={changes.value} />
  const isNow = selection.selected.value.kind === "now"
  return (
    <Empty icon="done" title={isNow ? "Nothing changed since the newest snapshot." : "There is no difference."}>
      {isNow && <p>Edit a file, and it shows here by itself.</p>}
    </Empty>
  )
}

function Files({ changes }: { readonly changes: readonly Change[] }): JSX.Element {
  const { view, comparison } = useSession()
  const search = view.search.value.trim().toLowerCase()
  const found = useMemo(
    () => (search === "" ? changes : changes.filter(({ path }) => path.toLowerCase().includes(search))),
    [changes, search],
  )
  const range = comparison.range.value
  return (
    <>
      <DiffToolbar changes={changes} found={found} />
      {found.length === 0 && (
        <Empty icon="search" title="No file's path has this in it.">
          <Button label="Show all files" onPress={() => (view.search.value = "")} />
        </Empty>
      )}
      {found.length > 0 && range !== undefined && (
        <DiffList key={`${range.from} ${range.to}`} range={range} changes={found} />
      )}
    </>
  )
}

function NothingBefore(): JSX.Element {
  const { selection, timeline, asking } = useSession()
  const selected = selection.selected.value
  if (selected.kind === "now")
    return (
      <Empty icon="capture" title="No snapshot yet">
        <p>A snapshot holds the folder as it is now. Take the first one, and see from then on what changes.</p>
        <Button label="Capture …" icon="capture" kind="primary" onPress={() => (asking.value = { kind: "capture" })} />
      </Empty>
    )
  const isThere = selected.kind === "one" && timeline.withId(selected.id) !== undefined
  if (!isThere) return <Empty icon="forget" title="It was let go. Choose another one in the timeline." />
  return (
    <Empty icon="capture" title="The first snapshot">
      <p>There is none before it to compare it with.</p>
      <Button label="Compare with the folder now" onPress={() => selection.against("now")} />
    </Empty>
  )
}
