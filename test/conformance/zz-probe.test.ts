import { expect, test } from "vitest"
import { openStore } from "../../src/index.js"
import { memDisk, nodeDisk, updateFolder, writeFolder, type Disk } from "../support/disk.js"
import { describedContent, folderContent } from "../support/folder-content.js"
import { EMPTY_FOLDER, type RandomItem, type RandomFolder } from "../support/random-folder.js"
import { temporaryFolder } from "../support/temporary-folder.js"
import { byteText } from "../support/random-names.js"
const file = (t: string, permissions = 0o644): RandomItem => ({ kind: "file", bytes: Buffer.from(t), permissions })
const folder = (items: Record<string, RandomItem>, permissions = 0o755): RandomFolder => ({ kind: "folder", permissions, items: new Map(Object.entries(items)) })
const link = (text: string): RandomItem => ({ kind: "link", text })
const forms: Record<string, RandomItem | undefined> = { none: undefined, empty: EMPTY_FOLDER, empty700: folder({}, 0o700), file: file("x"), file600: file("x", 0o600), exec: file("x", 0o755), link: link("q"), linkd: link("."), full: folder({ x: file("x") }), full700: folder({ x: file("x") }, 0o700), nestedEmpty: folder({ e: folder({}) }), nestedEmpty2: folder({ e: folder({ f: folder({}) }, 0o700) }), deep: folder({ e: folder({ f: link("a") }) }), two: folder({x: folder({y: file("")}), z: file("z")}) }
for (const kind of ["node", "mem"]) for (const [a, from] of Object.entries(forms)) for (const [b, to] of Object.entries(forms)) for (const beside of [false, true]) {
  test(`${kind}: ${a} restored over ${b} ${beside}`, async () => {
    const disk: Disk = kind === "node" ? nodeDisk : memDisk()
    const root = kind === "node" ? `${await temporaryFolder()}/w` : "/w"
    const other = beside ? { zz: file("beside") } : {}
    const f = folder({...(from === undefined ? {} : { a: from }), ...other}), t = folder({...(to === undefined ? {} : { a: to }), ...other})
    writeFolder(disk, byteText(root), f)
    const store = await openStore({ worktree: root, gitdir: root + ".store", durability: "process", ...(kind === "mem" ? { fs: (disk as any).client } : {}) })
    const c = await store.capture()
    updateFolder(disk, byteText(root), f, t)
    const report = await store.restore(c.snapshot.id)
    expect({ o: report.outcomes.filter((o) => o.action === "kept" || o.action === "failed"), content: folderContent(disk, root) }).toEqual({ o: [], content: describedContent(disk, f) })
  })
}
