/*
 * Whole folders at random, with everything that a Linux file system allows, and random edits of them.
 * They are descriptions only; support/disk.ts writes them.
 */
import fc from "fast-check"
import { byteText, safeName, unsafeName, type ByteText } from "./random-names.js"

export interface RandomFile {
  readonly kind: "file"
  readonly bytes: Uint8Array
  readonly permissions: number
}

export interface RandomLink {
  readonly kind: "link"
  readonly text: ByteText
}

/** What no snapshot takes, and what nobody may open: a fifo blocks its reader. */
export interface RandomSpecial {
  readonly kind: "special"
  readonly type: "fifo" | "socket"
}

export interface RandomFolder {
  readonly kind: "folder"
  readonly permissions: number
  readonly items: ReadonlyMap<ByteText, RandomItem>
}

export type RandomItem = RandomFile | RandomLink | RandomSpecial | RandomFolder

/** What a random folder may hold beside files, folders and links with good names. Default: nothing else. */
export interface FolderShape {
  /** Fifos and sockets. */
  readonly specials?: boolean
  /** Names that no snapshot takes, and links whose text is no UTF-8. */
  readonly unsafe?: boolean
  /** `.gitignore` files. */
  readonly ignoreFiles?: boolean
  /** Folders with a `.git` folder or file, below the root. */
  readonly repositories?: boolean
  /** Names in a folder, at most. Default: 12. */
  readonly maxItems?: number
}

/** A step of somebody's work. Numbers pick among what is there when it is applied. */
export type Edit =
  | { readonly step: "put"; readonly folder: number; readonly name: ByteText; readonly item: RandomItem }
  | { readonly step: "replace"; readonly which: number; readonly item: RandomItem }
  | { readonly step: "change"; readonly which: number; readonly bytes: Uint8Array }
  | { readonly step: "chmod"; readonly which: number; readonly file: number; readonly folder: number }
  | { readonly step: "delete"; readonly which: number }
  | { readonly step: "rename"; readonly which: number; readonly folder: number; readonly name: ByteText }
  | { readonly step: "swap"; readonly which: number; readonly other: number }

export const EMPTY_FOLDER: RandomFolder = { kind: "folder", permissions: 0o755, items: new Map() }

/** Contents that some tool would change: empty, CRLF, no final newline, not UTF-8, with NULs, up to 100 KB. */
const randomBytes: fc.Arbitrary<Uint8Array> = fc.oneof(
  {
    arbitrary: fc.constantFrom("", "\n", "\r\n", "\0", "a", "a\n", "a\r\nb\r\n", "a\nb", "$Id$\n").map(bytesOf),
    weight: 3,
  },
  {
    arbitrary: fc
      .array(fc.constantFrom("line", "x", "", "ключ", "\r"), { maxLength: 8 })
      .map((l) => bytesOf(l.join("\n"))),
    weight: 3,
  },
  { arbitrary: fc.string({ unit: "binary", maxLength: 40 }).map((text) => Buffer.from(text, "latin1")), weight: 2 },
  { arbitrary: fc.uint8Array({ maxLength: 64 }), weight: 2 },
  {
    arbitrary: fc
      .tuple(fc.nat(255), fc.integer({ min: 1000, max: 100_000 }))
      .map(([seed, length]) => noise(seed, length)),
    weight: 1,
  },
)

/** A folder of at most four levels and now and then one far deeper. */
export function randomFolder(shape: FolderShape = {}): fc.Arbitrary<RandomFolder> {
  return folderOf(shape, 3, true)
}

/** What can stand in a folder, folders included. */
function randomItem(shape: FolderShape = {}): fc.Arbitrary<RandomItem> {
  return fc.oneof(
    { arbitrary: leaf(shape), weight: 3 },
    { arbitrary: folderOf({ ...shape, maxItems: 4 }, 1, false), weight: 2 },
  )
}

/** Some steps of work on a folder: at least one, though it may come to nothing. */
export function randomEdits(shape: FolderShape = {}, maxLength: number = 10): fc.Arbitrary<readonly Edit[]> {
  const which = fc.nat(9999)
  const item = randomItem(shape)
  const edit = fc.oneof<fc.Arbitrary<Edit>[]>(
    fc.record({ step: fc.constant("put"), folder: which, name: nameOf(shape), item }),
    fc.record({ step: fc.constant("replace"), which, item }),
    fc.record({ step: fc.constant("change"), which, bytes: randomBytes }),
    fc.record({ step: fc.constant("chmod"), which, file: filePermissions, folder: folderPermissions }),
    fc.record({ step: fc.constant("delete"), which }),
    fc.record({ step: fc.constant("rename"), which, folder: which, name: nameOf(shape) }),
    fc.record({ step: fc.constant("swap"), which, other: which }),
  )
  return fc.array(edit, { minLength: 1, maxLength })
}

/** The folder after the edits. Items that no edit touched are the same objects. */
export function applyEdits(folder: RandomFolder, edits: readonly Edit[]): RandomFolder {
  return edits.reduce(applyEdit, folder)
}

/** Every item below `folder` by its path, parents first. */
export function itemsOf(folder: RandomFolder, prefix: ByteText = ""): [ByteText, RandomItem][] {
  return [...folder.items].flatMap(([name, item]): [ByteText, RandomItem][] => {
    const path = `${prefix}${name}`
    return [[path, item], ...(item.kind === "folder" ? itemsOf(item, `${path}/`) : [])]
  })
}

function applyEdit(root: RandomFolder, edit: Edit): RandomFolder {
  const items = itemsOf(root)
  const folders = ["", ...items.filter(([, item]) => item.kind === "folder").map(([path]) => path)]
  const inFolder = (index: number, name: ByteText): ByteText => join(folders[index % folders.length] ?? "", name)
  if (edit.step === "put") return replaceAt(root, inFolder(edit.folder, edit.name), edit.item)
  const [path, item] = items[edit.which % Math.max(1, items.length)] ?? []
  if (path === undefined || item === undefined) return root
  if (edit.step === "delete") return replaceAt(root, path, undefined)
  if (edit.step === "replace") return replaceAt(root, path, edit.item)
  if (edit.step === "change") return item.kind === "file" ? replaceAt(root, path, { ...item, bytes: edit.bytes }) : root
  if (edit.step === "chmod") {
    if (item.kind !== "file" && item.kind !== "folder") return root
    return replaceAt(root, path, { ...item, permissions: edit[item.kind] })
  }
  if (edit.step === "rename") {
    const target = inFolder(edit.folder, edit.name)
    if (`${target}/`.startsWith(`${path}/`) || path.startsWith(`${target}/`)) return root
    return replaceAt(replaceAt(root, path, undefined), target, item)
  }
  const [otherPath, other] = items[edit.other % items.length] ?? []
  if (otherPath === undefined || other === undefined) return root
  if (`${otherPath}/`.startsWith(`${path}/`) || path.startsWith(`${otherPath}/`)) return root
  return replaceAt(replaceAt(root, path, other), otherPath, item)
}

/** `path` names something in a folder that is there. */
function replaceAt(folder: RandomFolder, path: ByteText, item: RandomItem | undefined): RandomFolder {
  const slash = path.indexOf("/")
  const name = slash < 0 ? path : path.slice(0, slash)
  const items = new Map(folder.items)
  const inner = items.get(name)
  if (slash >= 0 && inner?.kind === "folder") items.set(name, replaceAt(inner, path.slice(slash + 1), item))
  else if (item === undefined) items.delete(name)
  else items.set(name, item)
  return { ...folder, items }
}

function join(folder: ByteText, name: ByteText): ByteText {
  return folder === "" ? name : `${folder}/${name}`
}

function folderOf(shape: FolderShape, depth: number, isRoot: boolean): fc.Arbitrary<RandomFolder> {
  const inner: fc.Arbitrary<RandomItem> =
    depth === 0
      ? leaf(shape)
      : fc.oneof(
          { arbitrary: leaf(shape), weight: 6 },
          { arbitrary: folderOf(shape, depth - 1, false), weight: 3 },
          { arbitrary: deepNest(shape), weight: isRoot ? 1 : 0 },
        )
  return fc
    .record({
      permissions: isRoot ? fc.constant(0o755) : folderPermissions,
      named: fc.array(fc.tuple(nameOf(shape), inner), { maxLength: shape.maxItems ?? 12, size: "max" }),
      extra: isRoot ? ignoreFile(shape) : fc.oneof(ignoreFile(shape), repositoryMark(shape)),
    })
    .map(({ permissions, named, extra }) => ({ kind: "folder", permissions, items: new Map([...named, ...extra]) }))
}

function leaf(shape: FolderShape): fc.Arbitrary<RandomItem> {
  const file = fc.record({ kind: fc.constant("file" as const), bytes: randomBytes, permissions: filePermissions })
  const link = fc.record({ kind: fc.constant("link" as const), text: linkText(shape) })
  const special = fc.record({ kind: fc.constant("special" as const), type: fc.constantFrom("fifo", "socket") })
  return fc.oneof<{ arbitrary: fc.Arbitrary<RandomItem>; weight: number }[]>(
    { arbitrary: file, weight: 12 },
    { arbitrary: link, weight: 4 },
    { arbitrary: special as fc.Arbitrary<RandomSpecial>, weight: shape.specials === true ? 1 : 0 },
  )
}

function nameOf(shape: FolderShape): fc.Arbitrary<ByteText> {
  return shape.unsafe === true
    ? fc.oneof({ arbitrary: safeName, weight: 15 }, { arbitrary: unsafeName, weight: 1 })
    : safeName
}

/** Dangling, to a folder, to itself, absolute, out of the work tree, with bytes that are no UTF-8. */
function linkText(shape: FolderShape): fc.Arbitrary<ByteText> {
  const good = fc.constantFrom(
    "a",
    "b",
    ".",
    "..",
    "dir",
    "../dir",
    "a/b",
    "/",
    "/etc",
    "../../..",
    "nowhere",
    " ",
    "a\n",
    "日本/ x",
    "é",
    "e\u0301",
    "\\",
    ".git",
    "x".repeat(300),
  )
  const broken = fc.constantFrom("\xff", "a\xe9/b", "\xc3")
  return shape.unsafe === true
    ? fc.oneof({ arbitrary: good.map(byteText), weight: 5 }, { arbitrary: broken, weight: 1 })
    : good.map(byteText)
}

function deepNest(shape: FolderShape): fc.Arbitrary<RandomItem> {
  return fc
    .tuple(fc.integer({ min: 5, max: 40 }), fc.constantFrom("d", "a.b", byteText("é ")), leaf(shape))
    .map(([levels, name, bottom]) => {
      let item: RandomItem = bottom
      for (let i = 0; i < levels; i++) item = { kind: "folder", permissions: 0o755, items: new Map([[name, item]]) }
      return item
    })
}

function ignoreFile(shape: FolderShape): fc.Arbitrary<[ByteText, RandomItem][]> {
  if (shape.ignoreFiles !== true) return fc.constant([])
  const pattern = fc.constantFrom(
    "a",
    "/b",
    "*.b",
    "dir/",
    "!a.b",
    "**/a0",
    "a/**",
    "# no",
    "",
    "[ab]-*",
    "\\!bang",
    "!/dir",
    "trail\\ ",
    "*.txt",
    "new*",
    "é",
    "d/d/",
    "/a/b",
    "HEAD",
    "?",
  )
  const text = fc.array(pattern, { minLength: 1, maxLength: 4 }).map((lines) => bytesOf(`${lines.join("\n")}\n`))
  const file = text.map((bytes): [ByteText, RandomItem][] => [
    [".gitignore", { kind: "file", bytes, permissions: 0o644 }],
  ])
  return fc.oneof({ arbitrary: fc.constant<[ByteText, RandomItem][]>([]), weight: 4 }, { arbitrary: file, weight: 1 })
}

/** What makes Git take a folder for a repository of its own, and what only looks so. */
function repositoryMark(shape: FolderShape): fc.Arbitrary<[ByteText, RandomItem][]> {
  if (shape.repositories !== true) return fc.constant([])
  const file = (text: string): RandomItem => ({ kind: "file", bytes: bytesOf(text), permissions: 0o644 })
  const folder = (items: Record<string, RandomItem>): RandomItem => ({
    ...EMPTY_FOLDER,
    items: new Map(Object.entries(items)),
  })
  const repository = folder({
    HEAD: file("ref: refs/heads/main\n"),
    objects: folder({}),
    refs: folder({}),
    index: file("junk"),
  })
  const marks = [
    repository,
    folder({}),
    file("gitdir: ../elsewhere\n"),
    file(""),
    { kind: "link", text: "nowhere" } as const,
  ]
  const mark = fc.constantFrom<RandomItem[]>(...marks).map((item): [ByteText, RandomItem][] => [[".git", item]])
  return fc.oneof({ arbitrary: fc.constant<[ByteText, RandomItem][]>([]), weight: 6 }, { arbitrary: mark, weight: 1 })
}

/** The owner can read all of them: what cannot be read is another test's matter. */
const filePermissions: fc.Arbitrary<number> = fc.oneof(
  { arbitrary: fc.constantFrom(0o644, 0o755), weight: 3 },
  { arbitrary: fc.constantFrom(0o600, 0o400, 0o666, 0o700, 0o744, 0o655, 0o555, 0o444, 0o777, 0o640), weight: 1 },
)

const folderPermissions: fc.Arbitrary<number> = fc.oneof(
  { arbitrary: fc.constant(0o755), weight: 5 },
  { arbitrary: fc.constantFrom(0o700, 0o775, 0o711, 0o750), weight: 1 },
)

/** Bytes that deflate badly and repeat in no short period. */
function noise(seed: number, length: number): Uint8Array {
  const bytes = new Uint8Array(length)
  let state = seed + 1
  for (let i = 0; i < length; i++) {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0
    bytes[i] = state >>> 24
  }
  return bytes
}

function bytesOf(text: string): Uint8Array {
  return Buffer.from(text, "utf8")
}
