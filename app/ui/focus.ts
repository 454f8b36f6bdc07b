/*
 * Where the keys bring the focus to. A component names its place by an attribute.
 */

export function focusTimeline(): void {
  focusOn("timeline")
}

/** The files; as long as there are none, where they will be. */
export function focusDetail(): void {
  // On a narrow page it is drawn first.
  requestAnimationFrame(() => focusOn("files") || focusOn("detail"))
}

/** Gives the focus on to the files as soon as they are there. */
export function takeFocusOfDetail(files: HTMLElement | null): void {
  if (document.activeElement?.getAttribute("data-focus") === "detail") files?.focus()
}

export function focusSearch(): void {
  focusOn("search")
}

function focusOn(place: string): boolean {
  const found = document.querySelector<HTMLElement>(`[data-focus="${place}"]`)
  found?.focus()
  return found !== null
}
