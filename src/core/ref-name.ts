import { SnapshotError } from "./errors.js"

/** The full name of a ref, such as refs/snapshots/main/20260102T030405678Z-0123456789abcdef. */
export type RefName = string & { readonly brand: "RefName" }

/** The name of a work tree in a store: one component of a ref's name. */
export type Workspace = string & { readonly brand: "Workspace" }

const SNAPSHOTS = "refs/snapshots/"

/** The workspace that `text` names; anything but 1 to 64 of a-z, 0-9 and "-": INVALID_ARGUMENT. */
export function parseWorkspace(text: string): Workspace {
  if (!/^[a-z0-9-]{1,64}$/.test(text))
    throw new SnapshotError("INVALID_ARGUMENT", `"${text}" is no workspace name. Use 1 to 64 of a-z, 0-9 and "-".`, {
      argument: "workspace",
    })
  return text as Workspace
}

/** Where the snapshots of a workspace stand. */
export function snapshotFolder(workspace: Workspace): string {
  return `${SNAPSHOTS}${workspace}/`
}

/** The ref of a snapshot: names sort by time. `nonce` is hex. */
export function snapshotRef(workspace: Workspace, createdMs: number, nonce: string): RefName {
  const stamp = new Date(createdMs).toISOString().replaceAll(/[-:.]/g, "")
  return `${snapshotFolder(workspace)}${stamp}-${nonce}` as RefName
}

/** The time in a snapshot ref's name, in milliseconds since 1970; undefined for a name of another form. */
export function snapshotTimeMs(ref: string): number | undefined {
  const match = /\/(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)(\d{3})Z-[0-9a-f]+$/.exec(ref)
  if (match === null) return undefined
  const [year, month, day, hour, minute, second, ms] = match.slice(1)
  const time = Date.parse(`${year}-${month}-${day}T${hour}:${minute}:${second}.${ms}Z`)
  return Number.isNaN(time) ? undefined : time
}

/**
 * The baseline of a workspace: its newest snapshot of one scope. Captures with `include` have a baseline of their own,
 * told apart by `scope`; a workspace's name has no dot, so the two never meet.
 */
export function baselineRef(workspace: Workspace, scope: string | undefined): RefName {
  return `refs/baseline/${workspace}${scope === undefined ? "" : `.${scope}`}` as RefName
}

/**
 * The ref name that `text` spells under refs/, or undefined when Git allows no such name.
 * Source: https://git-scm.com/docs/git-check-ref-format
 */
export function toRefName(text: string): RefName | undefined {
  const parts = text.split("/")
  const fits =
    parts[0] === "refs" &&
    parts.length > 2 &&
    parts.every((part) => part !== "" && !part.startsWith(".") && !part.endsWith(".lock")) &&
    !/\.\.|@\{|[\0-\x20\x7f~^:?*[\\]|\.$/.test(text)
  return fits ? (text as RefName) : undefined
}
