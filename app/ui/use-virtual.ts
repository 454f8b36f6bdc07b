import {
  elementScroll,
  observeElementOffset,
  observeElementRect,
  Virtualizer,
  type VirtualizerOptions,
} from "@tanstack/virtual-core"
import type { RefObject } from "preact"
import { useLayoutEffect, useReducer, useState } from "preact/hooks"

type Options = VirtualizerOptions<HTMLElement, HTMLElement>

/** What a long list is. */
export interface VirtualList {
  readonly scroller: RefObject<HTMLElement | null>
  readonly count: number
  readonly estimateSize: (index: number) => number
  readonly getItemKey: (index: number) => string
  /** Pixels from the scroller's top to the list's. */
  readonly scrollMargin?: number
  /** Pixels that something covers at the scroller's top. */
  readonly scrollPaddingStart?: number
  readonly overscan?: number
}

/** Draws of a long list what is in view: the component draws again whenever that changes. */
export function useVirtual({ scroller, ...list }: VirtualList): Virtualizer<HTMLElement, HTMLElement> {
  const [, draw] = useReducer((times: number) => times + 1, 0)
  const options: Options = {
    ...list,
    getScrollElement: () => scroller.current,
    observeElementRect,
    observeElementOffset,
    scrollToFn: elementScroll,
    onChange: () => draw(undefined),
  }
  const [virtualizer] = useState(() => new Virtualizer(options))
  virtualizer.setOptions(options)
  useLayoutEffect(() => virtualizer._didMount(), [virtualizer])
  useLayoutEffect(() => virtualizer._willUpdate())
  return virtualizer
}
