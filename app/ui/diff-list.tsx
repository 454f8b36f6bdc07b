import type { JSX } from "preact"
import { useLayoutEffect, useRef } from "preact/hooks"
import type { Change } from "../../src/snapshot-store.js"
import type { Range } from "../model/comparison.js"
import { FileCard } from "./file-card.js"
import { takeFocusOfDetail } from "./focus.js"
import { useSession } from "./session-context.js"
import { useVirtual } from "./use-virtual.js"

interface DiffListProps {
  readonly range: Range
  readonly changes: readonly Change[]
}

/** The files one below the other, of which those in view are drawn. */
export function DiffList({ range, changes }: DiffListProps): JSX.Element {
  const { view } = useSession()
  const scroller = useRef<HTMLDivElement>(null)
  const isFolded = (path: string): boolean => view.turned.value.has(path) !== view.foldsAll.value
  const virtual = useVirtual({
    scroller,
    count: changes.length,
    estimateSize: (at) => (isFolded(changes[at]?.path ?? "") ? FOLDED_PX : OPEN_PX),
    getItemKey: (at) => changes[at]?.path ?? "",
    overscan: 2,
  })
  // What was measured of files that are out of view is no longer true.
  const foldsAll = view.foldsAll.value
  useLayoutEffect(() => virtual.measure(), [foldsAll])
  useLayoutEffect(() => takeFocusOfDetail(scroller.current), [])
  return (
    <div ref={scroller} class="diff-list" role="region" aria-label="Files that differ" tabIndex={0} data-focus="files">
      <div class="virtual" style={{ height: `${virtual.getTotalSize()}px` }}>
        {virtual.getVirtualItems().map(({ index, start }) => {
          const change = changes[index]
          if (change === undefined) return null
          return (
            <div
              key={change.path}
              ref={virtual.measureElement}
              data-index={index}
              class="virtual-item"
              style={{ top: `${start}px` }}
            >
              <FileCard
                range={range}
                change={change}
                folded={isFolded(change.path)}
                onFold={(folded) => view.fold(change.path, folded)}
              />
            </div>
          )
        })}
      </div>
    </div>
  )
}

/* Before they are drawn and measured. */
const FOLDED_PX = 54
const OPEN_PX = 260
