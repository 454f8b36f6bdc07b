import type { JSX } from "preact"
import type { RestoreReport } from "../../src/snapshot-store.js"
import { reportSentence } from "../model/report-sentence.js"
import { printable } from "../model/text.js"
import { ACTION_WORDS, outcomeReason } from "../model/words.js"
import { Icon } from "./icon.js"
import { PathName } from "./path-name.js"
import { ScrollingRows } from "./scrolling-rows.js"

/** What a restore did, what did not go as planned first. */
export function ReportList({ report }: { readonly report: RestoreReport }): JSX.Element {
  const { outcomes, complete } = report
  const rows = [...outcomes].sort((a, b) => ORDER.indexOf(a.action) - ORDER.indexOf(b.action))
  return (
    <>
      <p class={complete ? "report-sentence" : "report-sentence bad"} role="status">
        <Icon name={complete ? "done" : "problem"} />
        {reportSentence(report)}
      </p>
      {rows.length > 0 && (
        <ScrollingRows
          label="What was done"
          rows={rows}
          draw={(row, place) => {
            const why = outcomeReason(row)
            return (
              <div key={row.path} {...place}>
                <span class={`verb ${row.action}`}>{ACTION_WORDS[row.action].toLowerCase()}</span>
                <PathName path={row.path} />
                {why !== "" && <span class="why">{printable(why)}</span>}
              </div>
            )
          }}
        />
      )}
    </>
  )
}

const ORDER = ["failed", "kept", "merged", "deleted", "written"]
