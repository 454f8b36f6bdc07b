import type { JSX } from "preact"
import { useMemo, useRef, useState } from "preact/hooks"
import type { Keep, PlannedChange, RestorePlan } from "../../src/snapshot-store.js"
import { count } from "../model/text.js"
import { KEEP_REASONS } from "../model/words.js"
import { Icon } from "./icon.js"
import { PathName } from "./path-name.js"
import { useSession } from "./session-context.js"
import { useVirtual } from "./use-virtual.js"

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
  const scroller = useRef<HTMLDivElement>(null)
  const virtual = useVirtual({
    scroller,
    count: rows.length,
    estimateSize: () => ROW_PX,
    getItemKey: (at) => rows[at]?.path ?? "",
    overscan: 6,
  })
  return (
    <div
      ref={scroller}
      class="plan-rows"
      role="group"
      aria-label="Files of the plan"
      tabIndex={0}
      style={{ height: `${virtual.getTotalSize() + BORDERS_PX}px` }}
    >
      <div class="virtual" style={{ height: `${virtual.getTotalSize()}px` }}>
        {virtual.getVirtualItems().map(({ index, start }) => {
          const row = rows[index]
          if (row === undefined) return null
          const { path, verb, why } = row
          const isFree = verb !== "keep"
          return (
            <label
              key={path}
              ref={virtual.measureElement}
              data-index={index}
              class="plan-row virtual-item"
              style={{ top: `${start}px` }}
            >
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
        })}
      </div>
      {rows.length === 0 && <p class="plan-nothing">No file's path has this in it.</p>}
    </div>
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
/* Before it is drawn and measured. */
const ROW_PX = 37
const BORDERS_PX = 2
