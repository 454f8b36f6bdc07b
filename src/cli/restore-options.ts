import { isSnapshotError } from "../core/errors.js"
import type { RestoreOptions } from "../snapshot-store.js"
import type { Option, Session, Words } from "./command.js"
import { FILTER_OPTIONS, filterOf } from "./filter.js"
import { age, cut, printable, shortId } from "./text.js"

/** The options that plan and restore share. */
export const RESTORE_OPTIONS: readonly Option[] = [
  ...FILTER_OPTIONS,
  { usage: "--keep-added", text: "Keep files that were added since the snapshot" },
]

/** The options of a restore that the command line gives. */
export function restoreOptionsOf(words: Words): (session: Session) => RestoreOptions {
  const filter = filterOf(words)
  return (session) => ({
    ...filter(session),
    ...(words.has("keep-added") && { added: "keep" }),
    signal: session.signal,
    onProgress: session.onProgress,
  })
}

/** The words that give the same options again. */
export function givenAgain(words: Words): string[] {
  const paths = [...words.values("path"), ...(words.rest ?? [])]
  return [
    ...paths.map((path) => `--path=${path}`),
    ...words.values("glob").map((glob) => `--glob=${glob}`),
    ...(words.has("keep-added") ? ["--keep-added"] : []),
  ]
}

/** What a restore goes back to. */
export interface RestoreTarget {
  /** The id of the snapshot, so that "latest" means one thing all the while; else the tree's oid as it was given. */
  readonly id: string
  /** For people. */
  readonly name: string
}

/** What `rev` names: a snapshot, or a tree. */
export async function findTarget(rev: string, { store, now }: Session): Promise<RestoreTarget> {
  try {
    const { id, label, createdAt } = await store.resolve(rev)
    const known = label === undefined ? "" : `${cut(printable(label), LABEL_COLUMNS, "end")}, `
    return { id, name: `snapshot ${shortId(id)} (${known}${age(createdAt, now)})` }
  } catch (error) {
    if (isSnapshotError(error, "NOT_A_SNAPSHOT")) return { id: rev, name: `tree ${printable(shortId(rev))}` }
    throw error
  }
}

const LABEL_COLUMNS = 30
