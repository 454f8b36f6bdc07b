import { SnapshotError } from "./errors.js"
import { toOid, type Oid } from "./oid.js"

/** The full name of a ref, such as refs/snapshots/main/20260102T030405678Z-0123456789abcdef. */
export type RefName = string & { readonly brand: "RefName" }

/** The name of a work tree in a store: one component of a ref's name. */
export type Workspace = string & { readonly brand: "Workspace" }

/** Where the snapshots of all workspaces stand. */
export const SNAPSHOTS = "refs/snapshots/"

/** The workspace that `text` names; anything but 1 to 64 of a-z, 0-9 and "-": INVALID_ARGUMENT. */
export function parseWorkspace(text: string): Workspace {
  if (typeof text !== "string" || !/^[a-z0-9-]{1,64}$/.test(text))
    throw new SnapshotError(
      "INVALID_ARGUMENT",
      `"${String(text)}" is no workspace name. Use 1 to 64 of a-z, 0-9 and "-".`,
      {
        argument: "workspace",
      },
    )
  return text as Workspace
}

/** Where the snapshots of a workspace stand. */
export function snapshotFolder(workspace: Workspace): string {
  return `${SNAPSHOTS}${workspace}/`
}

/** The ref of a snapshot: names sort by time. `nonce` is hex. */
export function snapshotRef(workspace: Workspace, createdMs: number, nonce: string): RefName {
  return `${snapshotFolder(workspace)}${stamp(createdMs)}-${nonce}` as RefName
}

/** The name of the workspace whose snapshot has this ref; undefined for a name of another form. */
export function workspaceOf(ref: string): string | undefined {
  return ref.startsWith(SNAPSHOTS) ? ref.slice(SNAPSHOTS.length).split("/")[0] : undefined
}

/** Where the pins of all workspaces stand. */
export const PINS = "refs/pins/"

/** Where the pins of a workspace stand. */
export function pinFolder(workspace: Workspace): string {
  return `${PINS}${workspace}/`
}

/** The pin of the snapshot at `snapshot`, whether there is one or not. */
export function pinRef(snapshot: RefName): RefName {
  return `${PINS}${snapshot.slice(SNAPSHOTS.length)}` as RefName
}

/** The snapshot that a pin is for. */
export function pinnedRef(pin: RefName): RefName {
  return `${SNAPSHOTS}${pin.slice(PINS.length)}` as RefName
}

/** Where the trees stand that another tool left in a store without a ref. */
export const ADOPTED = "refs/adopted/"

/** The ref of an adopted tree, which was last written at `ms`; a time that a name cannot hold becomes the nearest one. */
export function adoptedRef(ms: number, tree: Oid): RefName {
  return `${ADOPTED}${stamp(Math.min(Math.max(ms, 0), LAST_YEAR_MS))}-${tree}` as RefName
}

/** The tree that such a ref's name ends in; undefined for a name of another form. */
export function adoptedTree(ref: RefName): Oid | undefined {
  return ref.startsWith(ADOPTED) ? toOid(ref.slice(-40)) : undefined
}

/** Where running restores hold the trees that they read. */
export const RESTORES = "refs/restores/"

/** The ref by which a restore that began at `ms` holds its target. `nonce` is hex. */
export function restoreRef(workspace: Workspace, ms: number, nonce: string): RefName {
  return `${RESTORES}${workspace}/${stamp(Math.min(Math.max(ms, 0), LAST_YEAR_MS))}-${nonce}` as RefName
}

/** The time in the name of a snapshot's, an adopted tree's or a restore's ref, in milliseconds since 1970; undefined for a name of another form. */
export function refTimeMs(ref: string): number | undefined {
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

function stamp(ms: number): string {
  return new Date(ms).toISOString().replaceAll(/[-:.]/g, "")
}

/** The end of the year 9999: a name has four digits for the year. */
const LAST_YEAR_MS = 253402300799999

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
