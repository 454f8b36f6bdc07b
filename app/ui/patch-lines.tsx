import { html } from "diff2html"
import type { JSX } from "preact"
import { useLayoutEffect, useMemo, useRef } from "preact/hooks"
import { printable } from "../model/text.js"
import { useSession } from "./session-context.js"
import { useNarrow } from "./use-narrow.js"

interface PatchLinesProps {
  readonly path: string
  readonly patch: string
}

/** The lines of a patch as diff2html draws them, which escapes what is in them. */
export function PatchLines({ path, patch }: PatchLinesProps): JSX.Element {
  const { view } = useSession()
  const isNarrow = useNarrow()
  const place = useRef<HTMLDivElement>(null)
  // Two columns of a narrow page would be too narrow to read.
  const layout = isNarrow ? "unified" : view.layout.value
  const drawn = useMemo(
    () =>
      html(patch, {
        outputFormat: layout === "split" ? "side-by-side" : "line-by-line",
        drawFileList: false,
        matching: "lines",
        matchingMaxComparisons: 400,
        diffStyle: "word",
      }),
    [patch, layout],
  )
  useLayoutEffect(() => (place.current === null ? undefined : makeScrollable(place.current, path)), [drawn])
  return <div ref={place} class="patch" dangerouslySetInnerHTML={{ __html: drawn }} />
}

/** What scrolls sideways can be reached by keyboard, and both sides go together. The file's name is told above. */
function makeScrollable(place: HTMLElement, path: string): () => void {
  for (const header of place.querySelectorAll(".d2h-file-header")) header.remove()
  const sides = [...place.querySelectorAll<HTMLElement>(".d2h-file-side-diff, .d2h-file-diff")]
  const follow = ({ currentTarget }: Event): void => {
    if (!(currentTarget instanceof HTMLElement)) return
    for (const side of sides) if (side !== currentTarget) side.scrollLeft = currentTarget.scrollLeft
  }
  for (const [at, side] of sides.entries()) {
    side.tabIndex = 0
    side.setAttribute("role", "group")
    const which = sides.length === 2 ? (at === 0 ? "before" : "after") : "lines"
    side.setAttribute("aria-label", `${printable(path)}: ${which}`)
    side.addEventListener("scroll", follow, { passive: true })
  }
  return () => {
    for (const side of sides) side.removeEventListener("scroll", follow)
  }
}
