import type { JSX } from "preact"
import type { Change } from "../../src/snapshot-store.js"
import { count } from "../model/text.js"
import { Button } from "./button.js"
import { Choice } from "./choice.js"
import { focusDetail } from "./focus.js"
import { Icon } from "./icon.js"
import { useSession } from "./session-context.js"

interface DiffToolbarProps {
  readonly changes: readonly Change[]
  /** Those that the search finds. */
  readonly found: readonly Change[]
}

/** How many files differ, and how they are to be seen. */
export function DiffToolbar({ changes, found }: DiffToolbarProps): JSX.Element {
  const { view } = useSession()
  const of = (status: Change["status"]): number => changes.filter((change) => change.status === status).length
  const told = [
    [of("added"), "added"],
    [of("modified") + of("typechange"), "changed"],
    [of("deleted"), "deleted"],
  ] as const
  const isSearched = found.length < changes.length
  return (
    <div class="diff-toolbar">
      <p class="diff-count" role="status">
        <strong>
          {isSearched
            ? `${found.length.toLocaleString("en-US")} of ${count(changes.length, "file")}`
            : count(changes.length, "file")}
        </strong>
        {told.map(
          ([number, what]) =>
            number > 0 && (
              <span key={what} class={`told ${what}`}>
                {number.toLocaleString("en-US")} {what}
              </span>
            ),
        )}
      </p>
      <label class="search">
        <Icon name="search" label="Search files by path" />
        <input
          type="search"
          placeholder="Search by path"
          autocomplete="off"
          spellcheck={false}
          data-focus="search"
          value={view.search.value}
          onInput={({ currentTarget }) => (view.search.value = currentTarget.value)}
          onKeyDown={(event) => {
            if (event.key !== "Escape" && event.key !== "Enter") return
            event.preventDefault()
            event.stopPropagation()
            if (event.key === "Escape") view.search.value = ""
            focusDetail()
          }}
        />
      </label>
      <div class="diff-views">
        <Choice
          legend="Layout"
          value={view.layout.value}
          options={[
            { value: "unified", label: "Unified" },
            { value: "split", label: "Side by side" },
          ]}
          onChoose={(layout) => (view.layout.value = layout)}
        />
        <Button
          label={view.foldsAll.value ? "Unfold all" : "Fold all"}
          hotkey="f"
          onPress={() => view.foldAll(!view.foldsAll.value)}
        />
      </div>
    </div>
  )
}
