import type { RandomFile, RandomFolder, RandomItem, RandomLink } from "./random-folder.js"

/** What is written for an item: text for a plain file, an object for a folder, or an item itself. */
export type Described = string | RandomItem | { readonly [name: string]: Described }

/** A folder with these items. */
export function folderOf(items: { readonly [name: string]: Described }, permissions: number = 0o755): RandomFolder {
  const described = Object.entries(items).map(([name, item]): [string, RandomItem] => [name, itemOf(item)])
  return { kind: "folder", permissions, items: new Map(described) }
}

/** A file with this text. */
export function fileOf(text: string, permissions: number = 0o644): RandomFile {
  return { kind: "file", bytes: Buffer.from(text), permissions }
}

/** A link with this text. */
export function linkOf(text: string): RandomLink {
  return { kind: "link", text }
}

function itemOf(item: Described): RandomItem {
  if (typeof item === "string") return fileOf(item)
  return isItem(item) ? item : folderOf(item)
}

function isItem(item: RandomItem | { readonly [name: string]: Described }): item is RandomItem {
  return typeof item.kind === "string" && ("bytes" in item || "text" in item || "items" in item)
}
