import type { FileKind } from "../core/file-system.js"

/** The kind of file that the type bits of st_mode say. Source: inode(7). */
export function kindOfMode(mode: number): FileKind {
  const type = mode & 0o170000
  if (type === 0o100000) return "file"
  if (type === 0o040000) return "folder"
  if (type === 0o120000) return "link"
  return "special"
}

/** The system's name for the refusal to open what is no regular file. */
export function refusalOfKind(kind: FileKind): string {
  if (kind === "folder") return "EISDIR"
  return kind === "link" ? "ELOOP" : "ENXIO"
}
