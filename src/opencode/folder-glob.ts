/**
 * The glob that names all that is in a folder, and nothing else, whatever characters are in the folder's path: names with
 * such that may mean something come escaped in a group of one. Without the group, fast-glob takes the escapes for part of
 * a folder's name, and fails over a first name that every object has.
 */
export function folderGlob(folder: string): string {
  const [first = "", ...others] = folder.split("/")
  return [first in {} ? grouped(first) : literal(first), ...others.map(literal), "**"].join("/")
}

function literal(name: string): string {
  return /^[\p{L}\p{N}_ .-]+$/u.test(name) ? name : grouped(name)
}

/** A backslash comes in a group of its own: several in a row would lose their meaning. */
function grouped(name: string): string {
  return `@(${name.replace(/[!-,.:-@[-^`{-~]/g, (symbol) => (symbol === "\\" ? "@(\\\\)" : `\\${symbol}`))})`
}
