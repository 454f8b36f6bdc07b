import type { JSX } from "preact"
import { useRef } from "preact/hooks"
import type { RestoreReport } from "../../src/snapshot-store.js"
import { reportSentence } from "../model/report-sentence.js"
import { printable } from "../model/text.js"
import { ACTION_WORDS, outcomeReason } from "../model/words.js"
import { Icon } from "./icon.js"
import { PathName } from "./path-name.js"
import { useVirtual } from "./use-virtual.js"

/** What a restore did, what did not go as planned first. */
export function ReportList({ report }: { readonly report: RestoreReport }): JSX.Element {
  const { outcomes, complete } = report
  const rows = [...outcomes].sort((a, b) => ORDER.indexOf(a.action) - ORDER.indexOf(b.action))
  const scroller = useRef<HTMLDivElement>(null)
  const virtual = useVirtual({
    scroller,
    count: rows.length,
    estimateSize: () => ROW_PX,
    getItemKey: (at) => `${at} ${rows[at]?.path}`,
    overscan: 6,
  })
  return (
    <>
      <p class={complete ? "report-sentence" : "report-sentence bad"} role="status">
        <Icon name={complete ? "done" : "problem"} />
        {reportSentence(report)}
      </p>
      {rows.length > 0 && (
        <div
          ref={scroller}
          class="plan-rows"
          role="group"
          aria-label="What was done"
          tabIndex={0}
          style={{ height: `${virtual.getTotalSize() + BORDERS_PX}px` }}
        >
          <div class="virtual" style={{ height: `${virtual.getTotalSize()}px` }}>
            {virtual.getVirtualItems().map(({ index, start }) => {
              const row = rows[index]
              if (row === undefined) return null
              const why = outcomeReason(row)
              return (
                <div
                  key={row.path}
                  ref={virtual.measureElement}
                  data-index={index}
                  class="plan-row virtual-item"
                  style={{ top: `${start}px` }}
                >
                  <span class={`verb ${row.action}`}>{ACTION_WORDS[row.action].toLowerCase()}</span>
                  <PathName path={row.path} />
                  {why !== "" && <span class="why">{printable(why)}</span>}
                </div>
              )
            })}
          </div>
        </div>
      )}
    </>
  )
}

const ORDER = ["failed", "kept", "merged", "deleted", "written"]
/* Before it is drawn and measured. */
const ROW_PX = 37
const BORDERS_PX = 2
