/*
 * Paths of the system that the library did not make: with forward slashes, or on Windows with either slash after a
 * drive or a share. A path that starts with one forward slash knows no other separator.
 */

/** The folder above `path`, which is absolute; undefined at a root. */
export function folderAbove(path: string): string | undefined {
  const parts = path.startsWith("/") ? /^(\/)(?:(.*)\/)?[^/]+\/*$/s.exec(path) : WINDOWS_PATH.exec(path)
  if (parts === null) return undefined
  const [, root = "", above] = parts
  return root + (above ?? "")
}

/** The last name of `path`; "" for a root. */
export function lastName(path: string): string {
  return (path.startsWith("/") ? /([^/]+)\/*$/ : /([^/\\:]+)[/\\]*$/).exec(path)?.[1] ?? ""
}

/** `path` from `folder`, unless it is absolute already. */
export function pathFrom(folder: string, path: string): string {
  if (isAbsolute(path)) return path
  return /[/\\]$/.test(folder) && !folder.startsWith("/") ? folder + path : `${folder.replace(/\/$/, "")}/${path}`
}

export function isAbsolute(path: string): boolean {
  return path.startsWith("/") || /^(?:[A-Za-z]:[/\\]|\\\\)/.test(path)
}

const WINDOWS_PATH = /^([A-Za-z]:[/\\]|\\\\[^/\\]+[/\\][^/\\]+[/\\])(?:(.*)[/\\])?[^/\\]+[/\\]*$/s
