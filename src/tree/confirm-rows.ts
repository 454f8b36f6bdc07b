/*
 * Rows that their times do not vouch for. Stores into a mapped page can leave a file's times as they are for a while, so
 * that a file which was modified shortly before it was read is read again; when it holds what its row says, all of what
 * is known above it holds, too.
 */
import type { ContentFound, ContentReader } from "../core/content-reader.js"
import { settleAll } from "../core/settle-all.js"
import { FILE_ROW } from "../core/stat-checker.js"
import { MAPPED_MS } from "../core/stable-read.js"
import { pauses } from "../core/turns.js"
import { rowPaths, type RowPath } from "./row-paths.js"
import { oidOf, SURE, type NamedTable, type StatTable } from "./stat-table.js"

/** Rows whose files were read and hold what the rows say. */
export interface ConfirmedRows {
  readonly rows: readonly number[]
  readonly bytes: number
}

export const NOTHING_CONFIRMED: ConfirmedRows = { rows: [], bytes: 0 }

/**
 * Reads the files of the rows that are in doubt only because they were modified less than a minute ago, where there are
 * enough of them; `root` is the path of the first row. After that minute a file is left to the scan, so that its row can be
 * counted on from then on. Never rejects.
 */
export async function confirmRows(
  reader: ContentReader,
  seen: NamedTable,
  root: string,
  nowMs: number,
): Promise<ConfirmedRows> {
  const sinceNs = BigInt(Math.floor(nowMs - MAPPED_MS)) * 1_000_000n
  const pause = pauses()
  const rows: number[] = []
  let bytes = 0
  const confirm = async (some: readonly RowPath[]): Promise<void> => {
    const files = some.map(([row, path]) => ({ address: `${root}/${path}`, knownOid: oidOf(seen.table, row) }))
    const answers = await reader.read({ files, limitBytes: LIMIT_BYTES, isWanted: false })
    for (const [i, [row]] of some.entries()) {
      const answer = answers?.[i]
      if (answer === undefined || !("oid" in answer) || !isAsKnown(seen.table, row, answer)) continue
      rows.push(row)
      bytes += answer.stat.sizeBytes
    }
  }
  const portions: Promise<void>[] = []
  let portion: RowPath[] = []
  for (const asked of rowPaths(seen, (row) => isRecent(seen.table, row, sinceNs))) {
    portion.push(asked)
    if (portion.length < TOGETHER) continue
    portions.push(confirm(portion))
    portion = []
    // Of a folder that was just put there, each file is asked for.
    await pause()
  }
  if (portion.length > 0) portions.push(confirm(portion))
  await settleAll(portions)
  return { rows, bytes }
}

/** Larger files are left to the scan, which counts the memory that they take. */
const LIMIT_BYTES = 256 * 1024
/** So many are asked for together, so that several threads have something to do. */
const TOGETHER = 32

/** Whether a row's file was modified in the last minute, and is short enough. */
function isRecent({ kinds, marks, sizes, mtimes }: StatTable, row: number, sinceNs: bigint): boolean {
  return (
    kinds[row] === FILE_ROW &&
    ((marks[row] as number) & SURE) === 0 &&
    (sizes[row] as number) <= LIMIT_BYTES &&
    (mtimes[row] as bigint) > sinceNs
  )
}

/** The path may lead elsewhere by now: it has to be the very file that the row is about. */
function isAsKnown(table: StatTable, row: number, { oid, stat }: ContentFound): boolean {
  return (
    oid === oidOf(table, row) &&
    stat.inode === table.inodes[row] &&
    stat.mtimeNs === table.mtimes[row] &&
    stat.ctimeNs === table.ctimes[row] &&
    stat.sizeBytes === table.sizes[row] &&
    stat.permissions === table.permissions[row]
  )
}
