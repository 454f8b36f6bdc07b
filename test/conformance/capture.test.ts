import fs from "node:fs"
import { join } from "node:path"
import fc from "fast-check"
import { log, readBlob, readTree } from "isomorphic-git"
import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from "vitest"
import { openStore, type CaptureResult, type OpenOptions } from "../../src/index.js"
import { nodeDisk, updateFolder, withSpecials, writeFolder } from "../support/disk.js"
import { describedContent, folderContent, type FolderContent } from "../support/folder-content.js"
import { capturable, filterFolder, gitTrees } from "../support/git-tree.js"
import { git, gitIsThere } from "../support/git.js"
import {
  applyEdits,
  EMPTY_FOLDER,
  itemsOf,
  randomEdits,
  randomFolder,
  type RandomFolder,
} from "../support/random-folder.js"
import { byteText, isKnownUnsafe, plainText } from "../support/random-names.js"
import { temporaryFolder } from "../support/temporary-folder.js"

const EVERYTHING = { specials: true, unsafe: true, repositories: true } as const

let dropSpecials: () => void
beforeAll(async () => {
  dropSpecials = await withSpecials()
})
afterAll(() => dropSpecials())

beforeEach(async () => {
  const home = await temporaryFolder()
  for (const name of ["HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME"]) vi.stubEnv(name, home)
  vi.stubEnv("GIT_CONFIG_GLOBAL", "/dev/null")
  return () => vi.unstubAllEnvs()
})

describe.runIf(gitIsThere())("beside native git", () => {
  test("a capture of any folder gives the tree oid that native git gives", async () => {
    const place = await newPlace()
    const trees = gitTrees(await temporaryFolder())
    await fc.assert(
      fc.asyncProperty(randomFolder(EVERYTHING), async (folder) => {
        const { result } = await captureNew(place(), folder)
        expect(result.snapshot.tree).toBe(trees.treeOf(capturable(folder)))
      }),
      { numRuns: 14 },
    )
  })

  test("a capture with ignore files takes the paths that native git takes", async () => {
    const place = await newPlace()
    const trees = gitTrees(await temporaryFolder())
    await fc.assert(
      fc.asyncProperty(randomFolder({ ignoreFiles: true, repositories: true }), async (folder) => {
        const { result } = await captureNew(place(), folder)
        const kept = capturable(folder)
        expect(result.snapshot.tree).toBe(trees.treeOf(kept, trees.listed(kept)))
      }),
      { numRuns: 14 },
    )
  })

  test("a capture after edits gives the tree oid that native git gives of the edited folder", async () => {
    const place = await newPlace()
    const trees = gitTrees(await temporaryFolder())
    await fc.assert(
      fc.asyncProperty(randomFolder(EVERYTHING), randomEdits(EVERYTHING), async (folder, edits) => {
        const { root, options } = await captureNew(place(), folder)
        const edited = applyEdits(folder, edits)
        updateFolder(nodeDisk, byteText(root), folder, edited)
        const result = await captureOnce(options)
        expect(result.snapshot.tree).toBe(trees.treeOf(capturable(edited)))
      }),
      { numRuns: 14 },
    )
  })

  test("native git finds no fault in a store, and checks out the bytes that were captured", async () => {
    const place = await newPlace()
    await fc.assert(
      fc.asyncProperty(randomFolder(EVERYTHING), async (folder) => {
        const { result, options } = await captureNew(place(), folder)
        expect(faults(options.gitdir)).toEqual([])
        const out = `${options.gitdir}.out`
        fs.mkdirSync(out)
        checkOut(options.gitdir, result.snapshot.id, out)
        expect(filesOf(folderContent(nodeDisk, byteText(out)))).toEqual(
          filesOf(describedContent(nodeDisk, capturable(folder))),
        )
      }),
      { numRuns: 14 },
    )
  })

  test("a link that Git takes for a danger is captured as it is, and native git says so", async () => {
    const names = [".gitmodules", ".gitattributes", ".gitignore", ".mailmap"]
    const items = new Map(names.map((name) => [name, { kind: "link", text: "nowhere" } as const]))
    const { result, options } = await captureNew((await newPlace())(), { ...EMPTY_FOLDER, items })
    const listed = git(["--git-dir", options.gitdir, "ls-tree", "--format=%(objectmode) %(path)", result.snapshot.tree])
    expect(listed.text.trim().split("\n")).toEqual(names.toSorted().map((name) => `120000 ${name}`))
    const fsck = git(["--git-dir", options.gitdir, "fsck", "--strict"], { anyStatus: true })
    expect(fsck.stderr).toContain("gitmodulesSymlink")
    expect(faults(options.gitdir)).toEqual([])
  })
})

test("what a capture leaves out is in `skipped` with its reason, and nothing else is", async () => {
  const place = await newPlace()
  await fc.assert(
    fc.asyncProperty(randomFolder(EVERYTHING), async (folder) => {
      const { result } = await captureNew(place(), folder)
      expect(reasons(result.skipped)).toEqual(reasons(leftOut(folder)))
      expect(result.snapshot.complete).toBe(leftOut(folder).length === 0)
      expect(result.stats.filesScanned).toBeGreaterThanOrEqual(
        itemsOf(capturable(folder)).filter(([, item]) => item.kind !== "folder").length,
      )
    }),
    { numRuns: 14 },
  )
})

test("isomorphic-git reads every file of a snapshot", async () => {
  const place = await newPlace()
  await fc.assert(
    fc.asyncProperty(randomFolder(), async (random) => {
      // Its tree reader refuses names with a backslash, and each that could be a short name of ".git".
      const folder = filterFolder(random, (name) => !/\\|^\.?git~\d/i.test(name))
      const { result, options } = await captureNew(place(), folder)
      const { gitdir } = options
      const commits = await log({ fs, gitdir, ref: result.snapshot.ref })
      expect(commits[0]).toMatchObject({ oid: result.snapshot.id, commit: { tree: result.snapshot.tree } })
      const read = await isomorphicContent(gitdir, result.snapshot.tree, "")
      const files = itemsOf(folder).flatMap(([path, item]) => {
        if (item.kind === "link") return [[plainText(path), `120000 ${item.text}`]]
        if (item.kind !== "file") return []
        const mode = (item.permissions & 0o100) === 0 ? "100644" : "100755"
        return [[plainText(path), `${mode} ${Buffer.from(item.bytes).toString("latin1")}`]]
      })
      expect(read).toEqual(new Map(files as [string, string][]))
    }),
    { numRuns: 15 },
  )
})

test("a capture changes neither the content nor the times of the work tree", async () => {
  const place = await newPlace()
  await fc.assert(
    fc.asyncProperty(randomFolder(EVERYTHING), async (folder) => {
      const { root, gitdir } = place()
      writeFolder(nodeDisk, byteText(root), folder)
      const times = timesBelow(root)
      await captureOnce({ worktree: root, gitdir })
      expect(timesBelow(root)).toEqual(times)
      expect(folderContent(nodeDisk, byteText(root))).toEqual(describedContent(nodeDisk, folder))
    }),
    { numRuns: 10 },
  )
})

interface Place {
  readonly root: string
  readonly gitdir: string
}

interface NewCapture extends Place {
  readonly options: OpenOptions & { readonly gitdir: string }
  readonly result: CaptureResult
}

/** Gives a work tree and a store that are not there yet, new ones each time. */
async function newPlace(): Promise<() => Place> {
  const base = await temporaryFolder()
  let count = 0
  return () => {
    count++
    return { root: join(base, `${count}`), gitdir: join(base, `${count}.store`) }
  }
}

async function captureNew({ root, gitdir }: Place, folder: RandomFolder): Promise<NewCapture> {
  writeFolder(nodeDisk, byteText(root), folder)
  const options = { worktree: root, gitdir }
  return { root, gitdir, options, result: await captureOnce(options) }
}

async function captureOnce(options: OpenOptions): Promise<CaptureResult> {
  const store = await openStore({ durability: "process", ...options })
  try {
    return await store.capture()
  } finally {
    await store.close()
  }
}

/** What native git finds wrong with a store, apart from what is right as it is. */
function faults(gitdir: string): string[] {
  const fsck = git(["--git-dir", gitdir, "fsck", "--strict", "--no-dangling"], { anyStatus: true })
  const lines = [...fsck.text.split("\n"), ...fsck.stderr.split("\n")].filter((line) => line !== "")
  return lines.filter((line) => !ALLOWED.some(({ line: pattern }) => pattern.test(line)))
}

/** What fsck says of stores that are as they should be, and why that is so. */
const ALLOWED: readonly { readonly line: RegExp; readonly reason: string }[] = [
  { line: /^notice: /, reason: "a store has no branch that HEAD could name" },
  {
    line: /: git(?:modules|attributes)Blob: /,
    reason: "a folder stays a folder whatever Git would use its name for",
  },
  {
    line: /: git(?:modules|attributes|ignore)Symlink: /,
    reason: "a link stays a link whatever Git would use its name for",
  },
  { line: /: mailmapSymlink: /, reason: "the same" },
  {
    line: /: gitattributes(?:LineLength|Large): /,
    reason: "a file keeps its bytes whatever Git would use its name for",
  },
]

function checkOut(gitdir: string, snapshot: string, out: string): void {
  const env = { GIT_INDEX_FILE: `${out}.index` }
  const listed = git(["--git-dir", gitdir, "ls-tree", snapshot]).text
  // Native git knows no empty folder to check out.
  if (listed !== "") git(["--git-dir", gitdir, "--work-tree", out, "checkout", "--quiet", snapshot, "--", "."], { env })
}

/** Files and links, with the one permission that a tree holds. */
function filesOf(content: FolderContent): FolderContent {
  const files = Object.entries(content).filter(([, line]) => /^(?:file|link) /.test(line))
  return Object.fromEntries(
    files.map(([path, line]) => [
      path,
      line.replace(/^file (\d+)/, (_, digits: string) =>
        (Number.parseInt(digits, 8) & 0o100) === 0 ? "file" : "executable",
      ),
    ]),
  )
}

/** The topmost items that no snapshot takes. */
function leftOut(folder: RandomFolder): { readonly reason: string }[] {
  return [...folder.items].flatMap(([name, item]) => {
    if (name === ".git") return []
    if (isKnownUnsafe(name)) return [{ reason: "unsafe-name" }]
    if (item.kind === "special") return nodeDisk.special(item.type) === undefined ? [] : [{ reason: "special-file" }]
    return item.kind === "folder" ? leftOut(item) : []
  })
}

function reasons(skipped: readonly { readonly reason: string }[]): string[] {
  return skipped.map(({ reason }) => reason).toSorted()
}

async function isomorphicContent(gitdir: string, oid: string, prefix: string): Promise<Map<string, string>> {
  const found = new Map<string, string>()
  const { tree } = await readTree({ fs, gitdir, oid })
  for (const entry of tree) {
    if (entry.type === "tree")
      for (const [path, line] of await isomorphicContent(gitdir, entry.oid, `${prefix}${entry.path}/`))
        found.set(path, line)
    else {
      const { blob } = await readBlob({ fs, gitdir, oid: entry.oid })
      found.set(`${prefix}${entry.path}`, `${entry.mode} ${Buffer.from(blob).toString("latin1")}`)
    }
  }
  return found
}

function timesBelow(root: string): string[] {
  const paths = Object.keys(folderContent(nodeDisk, byteText(root)))
  return ["", ...paths].map((path) => {
    const { mtimeNs, ctimeNs } = fs.lstatSync(nodeDisk.path(`${byteText(root)}/${path}`), { bigint: true })
    return `${path} ${mtimeNs} ${ctimeNs}`
  })
}
