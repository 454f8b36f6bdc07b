import type { JSX } from "preact"
import { printable } from "../model/text.js"

/** A path, its last part ahead of its folders to the eye. */
export function PathName({ path }: { readonly path: string }): JSX.Element {
  const at = path.lastIndexOf("/") + 1
  return (
    <span class="path" title={printable(path)}>
      <span class="path-folder">{printable(path.slice(0, at))}</span>
      <span class="path-file">{printable(path.slice(at))}</span>
    </span>
  )
}
