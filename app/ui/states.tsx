/*
 * What stands where there is nothing to show: not yet, not at all, or not this time.
 */
import type { ComponentChildren, JSX } from "preact"
import type { Problem } from "../model/problem.js"
import { Button } from "./button.js"
import { Icon, type IconName } from "./icon.js"

interface EmptyProps {
  readonly icon: IconName
  readonly title: string
  readonly children?: ComponentChildren
}

export function Empty({ icon, title, children }: EmptyProps): JSX.Element {
  return (
    <div class="empty">
      <span class="empty-icon">
        <Icon name={icon} />
      </span>
      <p class="empty-title">{title}</p>
      {children}
    </div>
  )
}

export function Loading({ what }: { readonly what: string }): JSX.Element {
  return (
    <div class="loading" role="status">
      <span class="spinner" aria-hidden="true" />
      {what}
    </div>
  )
}

export function Failed({ problem, onRetry }: { readonly problem: Problem; readonly onRetry: () => void }): JSX.Element {
  return (
    <div class="empty failed" role="alert">
      <span class="empty-icon">
        <Icon name="problem" />
      </span>
      <p class="empty-title">{problem.message}</p>
      <Button label="Try again" onPress={onRetry} />
    </div>
  )
}
