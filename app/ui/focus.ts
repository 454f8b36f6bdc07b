/*
 * Where the keys bring the focus to. A component names its place by an attribute.
 */

export function focusTimeline(): void {
  focusOn("timeline")
}

export function focusDetail(): void {
  // On a narrow page it is drawn first.
  requestAnimationFrame(() => focusOn("detail"))
}

export function focusSearch(): void {
  focusOn("search")
}

function focusOn(place: string): void {
  document.querySelector<HTMLElement>(`[data-focus="${place}"]`)?.focus()
}
