/*
 * What a snapshot's commit says beside its tree, as trailers of its message:
 *
 *   <the label's first line, or the kind, for people>
 *   (empty line)
 *   Treeshot-Kind: capture | safety
 *   Treeshot-Workspace: <workspace>
 *   Treeshot-Time: <milliseconds since 1970>
 *   Treeshot-Skipped: <number of paths left out>
 *   Treeshot-Previous: <oid>           the newest snapshot of the workspace before
 *   Treeshot-Target: <oid>             of a safety snapshot: the tree that the restore was to write
 *   Treeshot-Scope: <hex>              of the include globs; absent without
 *   Treeshot-Label: <JSON text>
 *   Treeshot-Metadata: <JSON object of texts>
 *   Treeshot-Nonce: <hex>              so that equal snapshots of one second are two commits
 *
 * JSON keeps every value on one line. The ref's name follows from workspace, time and nonce.
 */
import { COMMITTER, type Commit } from "./commit.js"
import { toOid, type Oid } from "./oid.js"
import { snapshotRef, type RefName, type Workspace } from "./ref-name.js"

/** What the trailers of a snapshot's commit say. */
export interface SnapshotRecord {
  readonly kind: "capture" | "safety"
  readonly workspace: Workspace
  readonly createdMs: number
  /** How many paths were left out. */
  readonly skipped: number
  readonly previous?: Oid
  /** Of a safety snapshot: the tree that the restore was to write. What it wrote is tracked while that tree is stored. */
  readonly target?: Oid
  readonly scope?: string
  readonly label?: string
  readonly metadata: Readonly<Record<string, string>>
  readonly nonce: string
}

/** The commit of a snapshot. `manifest` is its only parent, when it has one. */
export function snapshotCommit(record: SnapshotRecord, tree: Oid, manifest: Oid | undefined): Commit {
  return {
    tree,
    parents: manifest === undefined ? [] : [manifest],
    seconds: Math.floor(record.createdMs / 1000),
    message: encodeRecord(record),
  }
}

/** The parentless commit that holds a manifest's tree; the same for the same manifest. */
export function manifestCommit(tree: Oid): Commit {
  return { tree, parents: [], seconds: 0, message: `${COMMITTER.name} manifest\n` }
}

/** The ref that belongs to a record. */
export function refOf(record: SnapshotRecord): RefName {
  return snapshotRef(record.workspace, record.createdMs, record.nonce)
}

/** What a commit's message says of a snapshot; undefined for any other commit. */
export function decodeRecord(message: string): SnapshotRecord | undefined {
  const trailers = new Map<string, string>()
  for (const line of message.trimEnd().split("\n\n").at(-1)?.split("\n") ?? []) {
    const match = /^Treeshot-([A-Z][a-z]+): ([^]*)$/.exec(line)
    if (match !== null) trailers.set(match[1] as string, match[2] as string)
  }
  const kind = trailers.get("Kind")
  const workspace = trailers.get("Workspace") ?? ""
  const createdMs = wholeNumber(trailers.get("Time"))
  const nonce = trailers.get("Nonce") ?? ""
  const metadata = parseTexts(trailers.get("Metadata"))
  const label = parseText(trailers.get("Label"))
  const previous = toOid(trailers.get("Previous") ?? "")
  const target = toOid(trailers.get("Target") ?? "")
  const scope = trailers.get("Scope")
  if ((kind !== "capture" && kind !== "safety") || createdMs === undefined || metadata === undefined) return undefined
  if (!/^[a-z0-9-]{1,64}$/.test(workspace) || !/^[0-9a-f]{8,64}$/.test(nonce) || createdMs > LAST_YEAR_MS)
    return undefined
  return {
    kind,
    workspace: workspace as Workspace,
    createdMs,
    skipped: wholeNumber(trailers.get("Skipped")) ?? 0,
    ...(previous === undefined ? {} : { previous }),
    ...(target === undefined ? {} : { target }),
    ...(scope === undefined ? {} : { scope }),
    ...(label === undefined ? {} : { label }),
    metadata,
    nonce,
  }
}

/** The end of the year 9999: a ref's name has four digits for the year. */
const LAST_YEAR_MS = 253402300799999

function encodeRecord(record: SnapshotRecord): string {
  const lines = [
    `Treeshot-Kind: ${record.kind}`,
    `Treeshot-Workspace: ${record.workspace}`,
    `Treeshot-Time: ${record.createdMs}`,
    `Treeshot-Skipped: ${record.skipped}`,
  ]
  if (record.previous !== undefined) lines.push(`Treeshot-Previous: ${record.previous}`)
  if (record.target !== undefined) lines.push(`Treeshot-Target: ${record.target}`)
  if (record.scope !== undefined) lines.push(`Treeshot-Scope: ${record.scope}`)
  if (record.label !== undefined) lines.push(`Treeshot-Label: ${JSON.stringify(record.label)}`)
  if (Object.keys(record.metadata).length > 0) lines.push(`Treeshot-Metadata: ${JSON.stringify(record.metadata)}`)
  lines.push(`Treeshot-Nonce: ${record.nonce}`)
  return `${subject(record)}\n\n${lines.join("\n")}\n`
}

function subject(record: SnapshotRecord): string {
  const firstLine = (record.label ?? "").split(/[\r\n]/)[0] ?? ""
  const shown = firstLine.replaceAll(/\p{C}/gu, "").trim().slice(0, 72).toWellFormed()
  return shown === "" || shown.startsWith("Treeshot-") ? record.kind : shown
}

function wholeNumber(text: string | undefined): number | undefined {
  return text !== undefined && /^\d{1,15}$/.test(text) ? Number(text) : undefined
}

function parseText(text: string | undefined): string | undefined {
  const value = parseJson(text)
  return typeof value === "string" ? value : undefined
}

function parseTexts(text: string | undefined): Readonly<Record<string, string>> | undefined {
  if (text === undefined) return {}
  const value = parseJson(text)
  if (typeof value !== "object" || value === null || Array.isArray(value)) return undefined
  return Object.values(value).every((item) => typeof item === "string") ? (value as Record<string, string>) : undefined
}

function parseJson(text: string | undefined): unknown {
  try {
    return JSON.parse(text ?? "null")
  } catch {
    return undefined
  }
}
