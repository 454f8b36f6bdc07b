import type { JSX } from "preact"
import { useRef } from "preact/hooks"
import { useVirtual } from "./use-virtual.js"

/** What a row has to have on its element, to be measured and put in its place. */
export interface RowPlace {
  readonly ref: (element: HTMLElement | null) => void
  readonly "data-index": number
  readonly class: string
  readonly style: { readonly top: string }
}

interface ScrollingRowsProps<Row> {
  readonly label: string
  readonly rows: readonly Row[]
  readonly draw: (row: Row, place: RowPlace) => JSX.Element
  /** Shown in the place of rows when there are none. */
  readonly nothing?: string
}

/** Rows about paths, of which only those in view are drawn. */
export function ScrollingRows<Row extends { readonly path: string }>({
  label,
  rows,
  draw,
  nothing,
}: ScrollingRowsProps<Row>): JSX.Element {
  const scroller = useRef<HTMLDivElement>(null)
  const virtual = useVirtual({
    scroller,
    count: rows.length,
    estimateSize: () => ROW_PX,
    // A report may have a path more than once.
    getItemKey: (at) => `${at} ${rows[at]?.path}`,
    overscan: 6,
  })
  return (
    <div
      ref={scroller}
      class="plan-rows"
      role="group"
      aria-label={label}
      tabIndex={0}
      style={{ height: `${virtual.getTotalSize() + BORDERS_PX}px` }}
    >
      <div class="virtual" style={{ height: `${virtual.getTotalSize()}px` }}>
        {virtual.getVirtualItems().map(({ index, start }) => {
          const row = rows[index]
          if (row === undefined) return null
          return draw(row, {
            ref: virtual.measureElement,
            "data-index": index,
            class: "plan-row virtual-item",
            style: { top: `${start}px` },
          })
        })}
      </div>
      {rows.length === 0 && nothing !== undefined && <p class="plan-nothing">{nothing}</p>}
    </div>
  )
}

/* Before it is drawn and measured. */
const ROW_PX = 37
const BORDERS_PX = 2
