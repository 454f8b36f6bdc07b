import type { JSX } from "preact"
import { useMemo, useState } from "preact/hooks"
import type { Keep, PlannedChange, RestorePlan } from "../../src/snapshot-store.js"
import { count } from "../model/text.js"
import { KEEP_REASONS } from "../model/words.js"
import { Icon } from "./icon.js"
import { PathName } from "./path-name.js"
import { ScrollingRows } from "./scrolling-rows.js"
import { useSession } from "./session-context.js"

interface PlanListProps {
  readonly plan: RestorePlan
  readonly ticked: ReadonlySet<string>
}

interface PlanRow {
  readonly path: string
  readonly verb: "create" | "change" | "merge" | "delete" | "keep"
  readonly why: string
}

/** What a plan would do, path by path, with a tick for each that can be left out. */
export function PlanList({ plan, ticked }: PlanListProps): JSX.Element {
  const { restoring } = useSession()
  const [search, setSearch] = useState("")
  const all = useMemo(() => rowsOf(plan), [plan])
  const rows = useMemo(
    () => all.filter(({ path }) => path.toLowerCase().includes(search.trim().toLowerCase())),
    [all, search],
  )
  const free = rows.filter(({ verb }) => verb !== "keep").map(({ path }) => path)
  const on = free.filter((path) => ticked.has(path)).length
  return (
    <>
      <p class="plan-numbers">
        {(["create", "change", "merge", "delete", "keep"] as const).map((verb) => {
          const number = all.filter((row) => row.verb === verb).length
          return number === 0 ? null : (
            <span key={verb} class={`verb ${verb}`}>
              {number.toLocaleString("en-US")} to {verb}
            </span>
          )
        })}
        <span class="muted">What is there now is captured first, so that it can be undone.</span>
      </p>
      <div class="plan-tools">
        <label class="tick">
          <input
            type="checkbox"
            checked={free.length > 0 && on === free.length}
            ref={(box) => {
              if (box !== null) box.indeterminate = on > 0 && on < free.length
            }}
            disabled={free.length === 0}
            onChange={({ currentTarget }) => restoring.tick(free, currentTarget.checked)}
          />
          {search === "" ? "All files" : `All ${count(free.length, "file")} found`}
        </label>
        <label class="search">
          <Icon name="search" label="Search the plan by path" />
          <input
            type="search"
            placeholder="Search by path"
            autocomplete="off"
            spellcheck={false}
            value={search}
            onInput={({ currentTarget }) => setSearch(currentTarget.value)}
          />
        </label>
      </div>
      <PlanRows rows={rows} ticked={ticked} />
    </>
  )
}

function PlanRows({
  rows,
  ticked,
}: {
  readonly rows: readonly PlanRow[]
  readonly ticked: ReadonlySet<string>
}): JSX.Element {
  const { restoring } = useSession()
  return (
    <ScrollingRows
      label="Files of the plan"
      rows={rows}
      nothing="No file's path has this in it."
      draw={({ path, verb, why }, place) => {
        const isFree = verb !== "keep"
        return (
          <label key={path} {...place}>
            <input
              type="checkbox"
              checked={isFree && ticked.has(path)}
              disabled={!isFree}
              onChange={({ currentTarget }) => restoring.tick([path], currentTarget.checked)}
            />
            <span class={`verb ${verb}`}>{verb}</span>
            <PathName path={path} />
            {why !== "" && <span class="why">{why}</span>}
          </label>
        )
      }}
    />
  )
}

function rowsOf({ writes, deletes, keeps }: RestorePlan): PlanRow[] {
  const verbOf = ({ before, merged }: PlannedChange): PlanRow["verb"] =>
    merged === true ? "merge" : before === undefined ? "create" : "change"
  return [
    ...writes.map((change): PlanRow => ({
      path: change.path,
      verb: verbOf(change),
      why: change.merged === true ? MERGED : "",
    })),
    ...deletes.map(({ path }): PlanRow => ({ path, verb: "delete", why: "" })),
    ...keeps.map(({ path, reason }: Keep): PlanRow => ({ path, verb: "keep", why: KEEP_REASONS[reason] })),
  ]
}

const MERGED = "With what was edited since."
