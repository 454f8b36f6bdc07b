/*
 * The manifest of a snapshot: what its tree does not say. It is kept as `manifest.json` in the tree of a parentless
 * commit with a fixed date, the snapshot commit's only parent, so equal manifests are one object and Git keeps them
 * for as long as the snapshot.
 */
import { exactText, utf8 } from "./bytes.js"
import { SnapshotError } from "./errors.js"
import type { Oid } from "./oid.js"
import type { Skipped } from "./skipped.js"

/** Text of ignore rules, and where they count. */
export interface IgnoreSource {
  /** The file that held them, for people: relative to the ignore root, or absolute outside of it. */
  readonly origin: string
  /** The folder that the patterns are relative to, as a path from the ignore root; "" for the root itself. */
  readonly base: string
  readonly text: string
}

/** Permission bits: those of most files, and the exceptions. */
export interface Permissions {
  readonly file: number
  readonly executable: number
  readonly folder: number
  /** By path; folders included. */
  readonly exceptions: Readonly<Record<string, number>>
}

/** What a snapshot left out, and by which rules. */
export interface Manifest {
  readonly skipped: readonly Skipped[]
  readonly include: readonly string[]
  readonly exclude: readonly string[]
  readonly newFileLimitBytes: number
  /** Rules from outside the work tree, from the weakest to the strongest. */
  readonly ignoreSources: readonly IgnoreSource[]
  /** Files with rules from outside that exist and may not be read: what they name is not known. */
  readonly rulesUnread: readonly string[]
  /** Ignore files of the work tree that counted and are not in the snapshot's tree as they counted: their text by folder. */
  readonly ignoreFiles: Readonly<Record<string, string>>
  /**
   * The work tree's path from the ignore root: the top of the enclosing repository, whose ignore files count in the
   * work tree, too. "" when the work tree is the top, or there is no repository.
   */
  readonly ignorePrefix: string
  /** Ignore rules match whatever the letter case. */
  readonly ignoreCase: boolean
  readonly emptyFolders: readonly string[]
  readonly permissions: Permissions
}

export const DEFAULT_NEW_FILE_LIMIT_BYTES: number = 2 * 1024 * 1024

export const PLAIN_PERMISSIONS: Permissions = { file: 0o644, executable: 0o755, folder: 0o755, exceptions: {} }

/** The manifest of a snapshot that has none: nothing was left out, and only the tree's own ignore files counted. */
export const PLAIN_MANIFEST: Manifest = {
  skipped: [],
  include: [],
  exclude: [],
  newFileLimitBytes: DEFAULT_NEW_FILE_LIMIT_BYTES,
  ignoreSources: [],
  rulesUnread: [],
  ignoreFiles: {},
  ignorePrefix: "",
  ignoreCase: false,
  emptyFolders: [],
  permissions: PLAIN_PERMISSIONS,
}

/** Whether a snapshot can do without a manifest. The new-file limit alone needs none: it left nothing out. */
export function isPlain(manifest: Manifest): boolean {
  return encodeText({ ...manifest, newFileLimitBytes: DEFAULT_NEW_FILE_LIMIT_BYTES }) === encodeText(PLAIN_MANIFEST)
}

/** The bytes of a manifest: the same for equal manifests. */
export function encodeManifest(manifest: Manifest): Uint8Array {
  return utf8(encodeText(manifest))
}

/** The manifest that `bytes` hold. Bytes that are none: OBJECT_CORRUPT with `oid`. */
export function decodeManifest(bytes: Uint8Array, oid: Oid): Manifest {
  const damaged = (cause?: unknown): SnapshotError =>
    new SnapshotError("OBJECT_CORRUPT", `The manifest ${oid} cannot be read.`, { oid }, cause)
  let value: unknown
  try {
    value = JSON.parse(exactText(bytes) ?? "")
  } catch (cause) {
    throw damaged(cause)
  }
  if (!isManifest(value)) throw damaged()
  return value
}

function encodeText(manifest: Manifest): string {
  const { skipped, permissions } = manifest
  const ordered: Manifest = {
    skipped: skipped.map(({ path, reason }) => ({ path, reason })).sort((a, b) => (a.path < b.path ? -1 : 1)),
    include: manifest.include,
    exclude: manifest.exclude,
    newFileLimitBytes: manifest.newFileLimitBytes,
    ignoreSources: manifest.ignoreSources.map(({ origin, base, text }) => ({ origin, base, text })),
    rulesUnread: manifest.rulesUnread,
    ignoreFiles: inOrder(manifest.ignoreFiles),
    ignorePrefix: manifest.ignorePrefix,
    ignoreCase: manifest.ignoreCase,
    emptyFolders: manifest.emptyFolders.toSorted(),
    permissions: {
      file: permissions.file,
      executable: permissions.executable,
      folder: permissions.folder,
      exceptions: inOrder(permissions.exceptions),
    },
  }
  return `${JSON.stringify(ordered, undefined, 1)}\n`
}

function inOrder<Value>(record: Readonly<Record<string, Value>>): Record<string, Value> {
  return Object.fromEntries(Object.entries(record).sort(([a], [b]) => (a < b ? -1 : 1)))
}

function isManifest(value: unknown): value is Manifest {
  if (!isRecord(value) || !isRecord(value["permissions"])) return false
  const { permissions } = value
  return (
    isListOf(value["skipped"], (item) => isRecord(item) && isText(item["path"]) && isText(item["reason"])) &&
    isListOf(value["include"], isText) &&
    isListOf(value["exclude"], isText) &&
    isCount(value["newFileLimitBytes"]) &&
    isListOf(value["ignoreSources"], isIgnoreSource) &&
    isListOf(value["rulesUnread"], isText) &&
    isRecord(value["ignoreFiles"]) &&
    Object.values(value["ignoreFiles"]).every(isText) &&
    isText(value["ignorePrefix"]) &&
    typeof value["ignoreCase"] === "boolean" &&
    isListOf(value["emptyFolders"], isText) &&
    [permissions["file"], permissions["executable"], permissions["folder"]].every(isPermissions) &&
    isRecord(permissions["exceptions"]) &&
    Object.values(permissions["exceptions"]).every(isPermissions)
  )
}

function isIgnoreSource(value: unknown): boolean {
  if (!isRecord(value)) return false
  return isText(value["origin"]) && isText(value["base"]) && isText(value["text"])
}

function isListOf(value: unknown, fits: (item: unknown) => boolean): boolean {
  return Array.isArray(value) && value.every(fits)
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value)
}

function isText(value: unknown): boolean {
  return typeof value === "string"
}

function isPermissions(value: unknown): boolean {
  return isCount(value) && (value as number) <= 0o777
}

function isCount(value: unknown): boolean {
  return Number.isSafeInteger(value) && (value as number) >= 0
}
