import { spawn } from "node:child_process"
import fs, { existsSync } from "node:fs"
import { chmod, mkdir, open, readFile, readdir, rm, symlink, writeFile } from "node:fs/promises"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { expect, onTestFinished, test } from "vitest"
import type { CaptureResult, FileDiff, Snapshot, VerifyReport } from "../../src/snapshot-store.js"
import { damageEntry } from "../support/damage.js"
import { git, gitIsThere } from "../support/git.js"
import { temporaryFolder } from "../support/temporary-folder.js"

const MAIN = fileURLToPath(new URL("../../dist/cli/main.js", import.meta.url))

interface Ran {
  readonly status: number | null
  readonly stdout: Buffer
  readonly text: string
  readonly stderr: string
}

interface Desk {
  /** The work tree. */
  readonly folder: string
  readonly gitdir: string
  readonly environment: Readonly<Record<string, string>>
  /** Runs treeshot in the work tree, or in a folder of it. */
  readonly treeshot: (...args: readonly string[]) => Promise<Ran>
  readonly within: (folder: string, ...args: readonly string[]) => Promise<Ran>
  /** Runs treeshot with --json, expects status 0 and gives the document. */
  readonly json: <Shape = unknown>(...args: readonly string[]) => Promise<Shape>
  readonly write: (path: string, content: string | Uint8Array) => Promise<void>
  readonly read: (path: string) => Promise<string | undefined>
}

/** A work tree, a store and a home folder of their own. */
async function desk(): Promise<Desk> {
  const root = await temporaryFolder()
  const [folder, gitdir] = [join(root, "work"), join(root, "store")]
  await mkdir(folder)
  const environment = { PATH: process.env["PATH"] ?? "", HOME: join(root, "home"), XDG_DATA_HOME: join(root, "shared") }
  const within: Desk["within"] = (from, ...args) => run(["--store", gitdir, ...args], join(folder, from), environment)
  return {
    folder,
    gitdir,
    environment,
    within,
    treeshot: (...args) => within("", ...args),
    json: async (...args) => {
      const ran = await within("", "--json", ...args)
      expect(ran).toMatchObject({ status: 0, stderr: "" })
      return parsed(ran)
    },
    write: async (path, content) => {
      await mkdir(join(folder, path, ".."), { recursive: true })
      await writeFile(join(folder, path), content)
    },
    read: (path) => readFile(join(folder, path), "utf8").catch(() => undefined),
  }
}

function run(args: readonly string[], cwd: string, env: Desk["environment"]): Promise<Ran> {
  return start(process.execPath, [MAIN, ...args], cwd, env)
}

function start(program: string, args: readonly string[], cwd: string, env: Desk["environment"]): Promise<Ran> {
  const child = spawn(program, args, { cwd, env, stdio: ["ignore", "pipe", "pipe"] })
  const [out, err]: [Buffer[], Buffer[]] = [[], []]
  child.stdout.on("data", (part: Buffer) => out.push(part))
  child.stderr.on("data", (part: Buffer) => err.push(part))
  return new Promise((resolve, reject) => {
    child.on("error", reject)
    child.on("close", (status) => {
      const stdout = Buffer.concat(out)
      resolve({ status, stdout, text: stdout.toString(), stderr: Buffer.concat(err).toString() })
    })
  })
}

/** What runs a program so that permissions count for it, which the superuser has to give up. */
function withoutPrivileges(): string[] {
  return process.getuid?.() === 0 ? ["setpriv", "--bounding-set=-all", "--inh-caps=-all"] : []
}

/** The document that was printed; what it is, the caller says. */
function parsed<Shape>(ran: Ran): Shape {
  const document: Shape = JSON.parse(ran.text)
  return document
}

/** As JSON has it, with the time as text. */
interface Captured extends Omit<CaptureResult, "snapshot"> {
  readonly snapshot: Omit<Snapshot, "createdAt"> & { readonly createdAt: string }
}

/** Control characters other than the end of a line. */
const CONTROLS = /(?!\n)\p{Cc}/u

test.runIf(gitIsThere())("captures by native git and by the pure backend give one tree", async () => {
  const { json, treeshot, write } = await desk()
  await write("a.txt", "one\r\n")
  await write("src/deep/b.txt", "b\n")
  const native = await json<Captured>("capture", "--backend", "native", "--workspace", "native")
  const pure = await json<Captured>("capture", "--backend", "pure", "--workspace", "pure")
  expect(native.snapshot.tree).toBe(pure.snapshot.tree)
  expect(native.snapshot.id).not.toBe(pure.snapshot.id)
  const other = await treeshot("capture", "--backend", "jgit")
  expect(other).toMatchObject({ status: 2, text: "" })
  expect(other.stderr).toMatch(/--backend.*pure.*native/s)
})

test("a folder is captured, listed, shown, compared, planned and restored with the words that the output suggests", async () => {
  const { treeshot, write, read } = await desk()
  await write("a.txt", "one\ntwo\n")
  await write("src/b.txt", "b\n")
  const first = await treeshot("capture", "--label", "before")
  expect(first).toMatchObject({ status: 0, stderr: "" })
  const id = /^Snapshot ([0-9a-f]{10}) {2}before\n/.exec(first.text)?.[1] ?? ""
  expect(first.text).toMatch(/files +2 /)
  expect(first.text).toContain(`diff ${id}`)
  expect(first.text).toContain(`restore ${id}`)

  const again = await treeshot("capture")
  expect(again).toMatchObject({ status: 0, stderr: "" })
  expect(again.text).toMatch(new RegExp(`^Nothing changed.*\\n.*${id}`))

  await write("a.txt", "one\n2\nthree\n")
  await write("new.txt", "new\n")
  expect((await treeshot("diff", "--name-only")).text).toBe("a.txt\nnew.txt\n")
  const stat = await treeshot("diff", id, "--stat")
  expect(stat.text).toMatch(
    /M {2}a\.txt +\+2 {2}-1\n.*A {2}new\.txt +\+1 {2}-0\n2 files changed, 3 lines added, 1 removed\n/s,
  )

  await treeshot("capture", "--label", "after")
  const list = await treeshot("list")
  expect(list.text).toMatch(/^ID +TAKEN +AGE +LABEL\n[^\n]+after\n[^\n]+before\n$/)
  expect((await treeshot("list", "--limit", "1")).text).not.toContain("before")
  const show = await treeshot("show", "latest")
  expect(show.text).toMatch(/label +after\n/)
  expect(show.text).toMatch(/A {2}new\.txt +\+1 {2}-0\n2 files changed/)
  expect((await treeshot("show", "latest~1")).text).toContain("The first snapshot of this folder: 2 files.")

  const plan = await treeshot("plan", id)
  expect(plan).toMatchObject({ status: 0, stderr: "" })
  expect(plan.text).toMatch(/change {2}a\.txt\n.*delete {2}new\.txt\n.*0 to create, 1 to change, 1 to delete, 0 kept/s)
  expect(await read("new.txt")).toBe("new\n")

  const restored = await treeshot("restore", id)
  expect(restored).toMatchObject({ status: 0, stderr: "" })
  expect(restored.text).toMatch(/written {2}a\.txt\n.*deleted {2}new\.txt\n.*1 written, 1 deleted, 0 kept\./s)
  expect([await read("a.txt"), await read("new.txt")]).toEqual(["one\ntwo\n", undefined])

  const back = /is snapshot ([0-9a-f]{10})/.exec(restored.text)?.[1] ?? ""
  expect((await treeshot("list", "--all")).text).toMatch(new RegExp(`${back} .* safety`))
  expect(await treeshot("restore", back)).toMatchObject({ status: 0 })
  expect([await read("a.txt"), await read("new.txt")]).toEqual(["one\n2\nthree\n", "new\n"])
  expect((await treeshot("restore", back)).text).toMatch(/^Nothing to do/)
})

test("--json prints exactly one document with the interface's own field names", async () => {
  const { json, write, folder } = await desk()
  expect(await json("list")).toEqual([])
  await write("a.txt", "a\n")
  await write("big.bin", new Uint8Array(2000))
  const captured = await json<Captured>(
    "capture",
    "--label=--json",
    "--meta",
    "n=0x10",
    "--meta",
    "__proto__=a=b",
    "--new-file-limit=1kB",
  )
  expect(Object.keys(captured).toSorted()).toEqual(["changed", "skipped", "snapshot", "stats"])
  expect(captured.skipped).toEqual([{ path: "big.bin", reason: "too-large" }])
  expect(captured.snapshot.label).toBe("--json")
  expect(Object.entries(captured.snapshot.metadata)).toHaveLength(2)
  expect(Object.entries(captured.snapshot.metadata)).toEqual(
    expect.arrayContaining([
      ["__proto__", "a=b"],
      ["n", "0x10"],
    ]),
  )
  expect(new Date(captured.snapshot.createdAt).toISOString()).toBe(captured.snapshot.createdAt)
  expect(Object.keys(captured.stats).toSorted()).toEqual([
    "bytesRead",
    "bytesWritten",
    "durationMs",
    "filesRead",
    "filesScanned",
    "objectsWritten",
  ])
  const { id } = captured.snapshot
  expect(await json("list", "--meta", "n=0x10")).toEqual([captured.snapshot])
  expect(await json("list", "--meta", "n=16")).toEqual([])

  await write("a.txt", "b\n")
  await rm(join(folder, "big.bin"))
  const [change] = await json<FileDiff[]>("diff", id)
  expect(change).toMatchObject({ path: "a.txt", status: "modified", additions: 1, deletions: 1, binary: false })
  expect(change?.patch).toContain("-a\n+b\n")
  const shown = await json<{ readonly snapshot: unknown }>("show", id)
  expect(Object.keys(shown)).toContain("snapshot")
  expect(shown.snapshot).toEqual(captured.snapshot)
  expect(await json("show", id, "a.txt")).toEqual({ path: "a.txt", sizeBytes: 2, encoding: "utf-8", content: "a\n" })
  const planned = await json("plan", id)
  expect(planned).toMatchObject({ target: { to: id }, writes: [{ path: "a.txt" }], deletes: [], keeps: [] })
  const restored = await json("restore", id)
  expect(restored).toMatchObject({
    complete: true,
    undo: { kind: "safety" },
    outcomes: [{ path: "a.txt", action: "written" }],
  })
})

test("wrong use ends with status 2 and one line, or with one JSON error, and makes no store", async () => {
  const { treeshot, gitdir } = await desk()
  const wrong: readonly (readonly string[])[] = [
    ["frobnicate"],
    ["--frobnicate"],
    ["list", "--frobnicate"],
    ["list", "--no-all"],
    ["list", "--__proto__"],
    ["list", "surplus"],
    ["list", "--", "surplus"],
    ["list", "--limit"],
    ["list", "--limit", "0"],
    ["list", "--limit", "0x10"],
    ["list", "--limit", "-1"],
    ["list", "--limit", "1", "--limit", "2"],
    ["list", "--kind", "sometimes"],
    ["list", "--since", "yesterday"],
    ["list", "--until", "2025-02-31"],
    ["list", "--all=yes"],
    ["capture", "--label"],
    ["capture", "--meta", "novalue"],
    ["capture", "--new-file-limit", "5XB"],
    ["capture", "--durability", "forever"],
    ["capture", "-C", ""],
    ["show"],
    ["show", "a:b", "c"],
    ["diff", "a", "b", "c"],
    ["diff", "-U", "many"],
    ["diff", "--"],
    ["restore"],
    ["restore", "latest", "--"],
    ["restore", "latest", "--", ""],
    ["revert", "latest"],
    ["plan"],
    ["plan", "revert", "latest"],
    ["plan", "undo", "latest"],
    ["undo", "latest"],
    ["redo", "--keep-added"],
    ["help", "frobnicate"],
  ]
  const check = async (args: readonly string[]): Promise<void> => {
    const told = await treeshot(...args)
    expect(told, args.join(" ")).toMatchObject({ status: 2, text: "" })
    expect(told.stderr, args.join(" ")).toMatch(/^treeshot: [^\n]+\n$/)
  }
  for (let i = 0; i < wrong.length; i += 3) await Promise.all(wrong.slice(i, i + 3).map(check))
  const told = await treeshot("list", "--limit", "many", "--json")
  expect(told).toMatchObject({ status: 2, stderr: "" })
  expect(parsed(told)).toEqual({
    error: { code: "INVALID_ARGUMENT", message: expect.stringContaining("--limit"), details: { argument: "limit" } },
  })
  expect(existsSync(gitdir)).toBe(false)
})

test("what the store refuses ends with status 1, one line and no stack", async () => {
  const { treeshot, folder, within, gitdir, write } = await desk()
  await write("a.txt", "a\n")
  await treeshot("capture")
  await writeFile(join(folder, "..", "file"), "no store")
  expect(await treeshot("diff", "--workspace", "other")).toMatchObject({
    status: 1,
    stderr: "treeshot: There is no snapshot of this folder yet. treeshot capture takes one.\n",
  })
  expect((await treeshot("list", "-C", "/")).stderr).toContain("--allow-any-root")
  const refused: readonly (readonly string[])[] = [
    ["show", "nosuch"],
    ["show", "latest~7"],
    ["show", "latest", "no/such/file"],
    ["diff", "deadbeef"],
    ["restore", "deadbeef"],
    ["list", "-C", join(folder, "no/such/folder")],
  ]
  const check = async (args: readonly string[]): Promise<void> => {
    const told = await treeshot(...args)
    expect(told, args.join(" ")).toMatchObject({ status: 1, text: "" })
    expect(told.stderr, args.join(" ")).toMatch(/^treeshot: [^\n]+\n$/)
  }
  await Promise.all(refused.map(check))
  const told = await run(["list", "--store", join(gitdir, "..", "file"), "--json"], folder, {})
  expect(told).toMatchObject({ status: 1, stderr: "" })
  expect(parsed(told)).toMatchObject({ error: { code: "GITDIR_INVALID" } })
  expect((await within("", "restore", "latest", "--", "../outside")).status).toBe(2)
})

test("a revision that reads like a number reaches the store as it was written", async () => {
  const { treeshot } = await desk()
  const forms = [
    (rev: string) => ["show", "--json", rev],
    (rev: string) => ["--json", "show", rev],
    (rev: string) => ["restore", rev, "--json"],
  ]
  for (const [i, rev] of ["0e12", "1234567", "0x1234"].entries()) {
    const told = await treeshot(...(forms[i % forms.length]?.(rev) ?? []))
    expect(told.status).toBe(1)
    expect(parsed(told)).toMatchObject({ error: { code: "NOT_FOUND", details: { rev } } })
  }
})

test("a label and a workspace that read like numbers, and an empty label, stay what they are", async () => {
  const { json, write } = await desk()
  await write("a.txt", "a\n")
  for (const label of ["0e12", ""]) {
    const { snapshot } = await json<Captured>("capture", "--label", label, "--workspace", "0x12")
    expect(snapshot.label).toBe(label)
    expect(snapshot.ref).toContain("/0x12/")
  }
})

test("diff prints a patch that git apply takes, byte for byte", async () => {
  if (!gitIsThere()) return
  const { treeshot, folder, write } = await desk()
  const copy = await temporaryFolder()
  const before = new Map<string, Uint8Array>([
    ["latin1.txt", Buffer.from("caf\xe9\nold\n", "latin1")],
    ["end.txt", Buffer.from("no newline")],
    ["binary", Uint8Array.from({ length: 500 }, (_, i) => i % 256)],
  ])
  const after = new Map<string, Uint8Array>([
    ["latin1.txt", Buffer.from("caf\xe9\nn\xebw\n", "latin1")],
    ["end.txt", Buffer.from("no newline\nbut more")],
    ["binary", Uint8Array.from({ length: 500 }, (_, i) => (i * 7) % 256)],
  ])
  for (const [path, bytes] of before) {
    await write(path, bytes)
    await writeFile(join(copy, path), bytes)
  }
  await treeshot("capture")
  for (const [path, bytes] of after) await write(path, bytes)
  await treeshot("capture")
  const patch = await treeshot("diff", "latest~1", "latest")
  expect(patch).toMatchObject({ status: 0, stderr: "" })
  git(["apply", "-"], { cwd: copy, input: patch.stdout })
  for (const path of after.keys()) expect(await readFile(join(copy, path))).toEqual(await readFile(join(folder, path)))
  expect((await treeshot("diff", "latest~1", "latest", "-U0")).text).not.toContain(" caf")
  expect((await treeshot("diff", "latest~1", "latest", "-U", "1", "--", "end.txt")).text).not.toContain("latin1")
})

test("show prints the exact bytes of a file, by a path from the current folder or from the top", async () => {
  const { treeshot, within, folder, write } = await desk()
  const bytes = Uint8Array.from({ length: 70_000 }, (_, i) => (i * 31) % 256)
  await write("src/logo:1.bin", bytes)
  await write("src/a.txt", "a")
  await symlink("a.txt", join(folder, "src/link"))
  await mkdir(join(folder, ".git"))
  await writeFile(join(folder, ".git/HEAD"), "ref: refs/heads/main\n")
  await treeshot("capture")
  const all = await Promise.all([
    treeshot("show", "latest", "src/logo:1.bin"),
    treeshot("show", "latest:src/logo:1.bin"),
    within("src", "show", "latest", "logo:1.bin"),
    within("src", "show", "latest:src/logo:1.bin"),
    within("src", "show", "latest", "--", join(folder, "src/logo:1.bin")),
  ])
  for (const shown of all) {
    expect(shown).toMatchObject({ status: 0, stderr: "" })
    expect(shown.stdout.equals(bytes)).toBe(true)
  }
  expect((await treeshot("show", "latest", "src/link")).text).toBe("a.txt")
  expect(parsed(await treeshot("show", "latest", "src/logo:1.bin", "--json"))).toEqual({
    path: "src/logo:1.bin",
    sizeBytes: 70_000,
    encoding: "base64",
    content: Buffer.from(bytes).toString("base64"),
  })
  const told = await treeshot("show", "latest:src")
  expect(told).toMatchObject({ status: 1, text: "" })
  expect(told.stderr).toMatch(/^treeshot: [^\n]+\n$/)
})

test("in a folder of a repository the whole repository is meant, and paths count from that folder", async () => {
  const { within, json, write, read, folder } = await desk()
  await mkdir(join(folder, ".git"))
  await writeFile(join(folder, ".git/HEAD"), "ref: refs/heads/main\n")
  for (const path of ["a.txt", "src/a.txt", "src/deep/a.txt"]) await write(path, "1")
  await within("src", "capture")
  expect(await json("diff", "4b825dc642cb6eb9a060e54bf8d69288fbee4904", "latest")).toHaveLength(3)
  for (const path of ["a.txt", "src/a.txt", "src/deep/a.txt"]) await write(path, "2")
  expect((await within("src", "diff", "--name-only", "--", ".")).text).toBe("src/a.txt\nsrc/deep/a.txt\n")
  expect((await within("src", "diff", "--name-only", "--path", "../a.txt")).text).toBe("a.txt\n")
  expect((await within("src", "restore", "latest", "--", "a.txt")).status).toBe(0)
  expect([await read("a.txt"), await read("src/a.txt"), await read("src/deep/a.txt")]).toEqual(["2", "1", "2"])
  const alone = parsed<Captured>(await within("src/deep", "capture", "-C", ".", "--workspace", "deep", "--json"))
  expect(await json("diff", "4b825dc642cb6eb9a060e54bf8d69288fbee4904", alone.snapshot.tree)).toMatchObject([
    { path: "a.txt" },
  ])
})

test("a restore takes paths, globs and --keep-added, and the plan suggests the same restore", async () => {
  const { treeshot, write, read } = await desk()
  for (const path of ["a.ts", "b.md", "lib/c.ts"]) await write(path, "1")
  await treeshot("capture")
  for (const path of ["a.ts", "b.md", "lib/c.ts", "added.ts"]) await write(path, "2")
  const plan = await treeshot("plan", "latest", "--glob", "**/*.ts", "--keep-added", "--", "b.md")
  expect(plan.text).toMatch(/3 to change, 0 to delete, 1 kept/)
  expect(plan.text).toMatch(/keep +added\.ts +added since/)
  expect(plan.text).toMatch(/restore [0-9a-f]{10} --path=b\.md '--glob=\*\*\/\*\.ts' --keep-added --store/)
  await treeshot("restore", "latest", "--glob", "**/*.ts", "--keep-added")
  expect([await read("a.ts"), await read("b.md"), await read("lib/c.ts"), await read("added.ts")]).toEqual([
    "1",
    "2",
    "1",
    "2",
  ])
  await treeshot("restore", "latest", "--path", "b.md")
  expect([await read("b.md"), await read("added.ts")]).toEqual(["1", "2"])
  await treeshot("restore", "latest")
  expect(await read("added.ts")).toBeUndefined()
})

test("undo and redo take restores back and do them again, and their plans say so beforehand", async () => {
  const { treeshot, json, write, read } = await desk()
  expect(await treeshot("undo")).toMatchObject({ status: 1, text: "" })
  await write("a.txt", "1")
  await treeshot("capture")
  await write("a.txt", "2")
  await write("b.txt", "2")
  await treeshot("restore", "latest")
  const planned = await treeshot("plan", "undo")
  expect(planned.text).toMatch(
    /^To undo the last restore:\n.*create {2}b\.txt\n.*change {2}a\.txt\n.* undo .* does it\n$/s,
  )
  expect(await read("a.txt")).toBe("1")
  const undone = await treeshot("undo")
  expect(undone).toMatchObject({ status: 0, stderr: "" })
  expect(undone.text).toMatch(
    /^Undid the last restore:\n.*2 written, 0 deleted, 0 kept\.\n.* redo .* goes back to it\n$/s,
  )
  expect([await read("a.txt"), await read("b.txt")]).toEqual(["2", "2"])
  expect((await treeshot("plan", "redo")).text).toMatch(/delete {2}b\.txt/)
  expect(await json("redo")).toMatchObject({
    complete: true,
    outcomes: [
      { path: "a.txt", action: "written" },
      { path: "b.txt", action: "deleted" },
    ],
  })
  expect([await read("a.txt"), await read("b.txt")]).toEqual(["1", undefined])
  const nothing = await treeshot("redo", "--json")
  expect(parsed(nothing)).toMatchObject({ error: { code: "NOTHING_TO_UNDO", details: { wanted: "redo" } } })
})

test("revert takes one step back, merges what was edited since, and keeps what cannot be merged", async () => {
  const { treeshot, json, write, read } = await desk()
  const lines = (first: string, last: string): string => `${first}\n2\n3\n4\n5\n6\n${last}\n`
  for (const path of ["merged.txt", "torn.txt"]) await write(path, lines("1", "7"))
  const first = (await json<Captured>("capture")).snapshot.id
  for (const path of ["merged.txt", "torn.txt"]) await write(path, lines("1", "step"))
  await write("new.txt", "step")
  const second = (await json<Captured>("capture")).snapshot.id
  await write("merged.txt", lines("mine", "step"))
  await write("torn.txt", lines("1", "mine"))
  const planned = await treeshot("plan", "revert", first, second)
  expect(planned.text).toMatch(/merge +merged\.txt\n.*delete +new\.txt\n.*keep +torn\.txt {2}changed meanwhile/s)
  expect(planned.text).toMatch(/1 to merge, 1 to delete, 1 kept\. Nothing was touched\./)
  expect((await treeshot("plan", "revert", first, second, "--keep-edited")).text).toMatch(/1 to delete, 2 kept/)
  const reverted = await treeshot("revert", first, second)
  expect(reverted).toMatchObject({ status: 1, stderr: "" })
  expect(reverted.text).toMatch(/^Not all of what changed from .*0 written, 1 merged, 1 deleted, 1 kept\./s)
  expect(await read("merged.txt")).toBe(lines("mine", "7"))
  expect(await read("torn.txt")).toBe(lines("1", "mine"))
  expect(await read("new.txt")).toBeUndefined()
})

test("on a terminal a restore shows what it would do and deletes only after a yes; --yes asks nothing", async () => {
  const { treeshot, write, read, folder, gitdir, environment } = await desk()
  await write("a.txt", "1")
  await treeshot("capture")
  await write("a.txt", "2")
  await write("b.txt", "2")
  const onTerminal = (answer: string, ...args: readonly string[]): Promise<Ran> => {
    const quoted = [process.execPath, MAIN, ...args, "--store", gitdir].map((word) => `'${word}'`).join(" ")
    // The answer waits in the terminal until somebody reads it.
    const script = `printf '${answer}' | script -qefc "${quoted}" /dev/null`
    return start("sh", ["-c", script], folder, { ...environment, NO_COLOR: "1" })
  }
  for (const answer of ["n\\n", "\\n", "\\004"]) {
    const refused = await onTerminal(answer, "restore", "latest")
    expect(refused.status).toBe(1)
    expect(refused.text).toMatch(
      /To restore .*change {2}a\.txt.*delete {2}b\.txt.*delete 1 path\? \[y\/N\] .*Nothing was touched\./s,
    )
    expect([await read("a.txt"), await read("b.txt")]).toEqual(["2", "2"])
  }
  expect((await onTerminal("y\\n", "restore", "latest")).text).toMatch(/Restored .*1 written, 1 deleted, 0 kept\./s)
  expect([await read("a.txt"), await read("b.txt")]).toEqual(["1", undefined])
  const creating = await onTerminal("", "undo")
  expect(creating.status).toBe(0)
  expect(creating.text).not.toContain("?")
  expect(await onTerminal("", "redo", "--yes")).toMatchObject({ status: 0 })
  expect(await read("b.txt")).toBeUndefined()
})

test("names and labels cannot steer the terminal or break a line", async () => {
  const { treeshot, write, folder } = await desk()
  const evil = "new\nline \x1b[2Jé\u202e\x9b.txt"
  await treeshot("capture", "--label", "empty")
  await write(evil, "1\n")
  await write(`big${evil}`, new Uint8Array(3000))
  const outputs = [
    await treeshot("capture", "--new-file-limit", "2000", "--label", "a\x1b[31mb\nc", "--meta", "k\x07=v\x1b"),
    ...(await Promise.all([treeshot("list"), treeshot("show", "latest")])),
  ]
  await write(evil, "2\n")
  outputs.push(
    ...(await Promise.all([
      treeshot("diff", "--stat"),
      treeshot("diff", "--name-only"),
      treeshot("plan", "latest"),
      treeshot("show", "a\x1b[31m\nb"),
      treeshot("list", "--limit", "\x1b[31m"),
      treeshot("restore", "latest", "--", "../\x1b[31m"),
    ])),
    await treeshot("restore", "latest"),
  )
  expect(outputs.map(({ status }) => status)).toEqual([0, 0, 0, 0, 0, 0, 1, 2, 2, 0])
  for (const { text, stderr } of outputs) expect(text + stderr).not.toMatch(CONTROLS)
  for (const { text, stderr } of outputs) expect(text + stderr).not.toContain("\u202e")
  for (const i of [2, 3, 4, 5, 9]) expect(outputs[i]?.text).toContain("new\\nline \\x1b[2Jé\\u202e\\x9b.txt")
  expect(outputs[0]?.stderr).toMatch(/^\nNot in the snapshot: 1 path\n {2}bignew\\nline .* +new and too large\n/)
  expect(outputs[1]?.text.trimEnd().split("\n").length).toBe(3)
  expect(await readdir(folder)).toContain(evil)
})

test("a reader that stops early is no error", async () => {
  const { treeshot, write, folder, gitdir, environment } = await desk()
  await write("a.txt", "0\n")
  await treeshot("capture")
  await write("a.txt", Array.from({ length: 200_000 }, (_, i) => `${i}\n`).join(""))
  const child = spawn(process.execPath, [MAIN, "diff", "--store", gitdir], {
    cwd: folder,
    env: environment,
    stdio: ["ignore", "pipe", "pipe"],
  })
  let stderr = ""
  child.stderr.on("data", (part: Buffer) => (stderr += part.toString()))
  child.stdout.once("data", () => child.stdout.destroy())
  const status = await new Promise((resolve) => child.on("close", resolve))
  expect({ status, stderr }).toEqual({ status: 0, stderr: "" })
})

test("Ctrl-C during a capture ends it with one line, status 1 and no snapshot", async () => {
  const { treeshot, write, folder, gitdir, environment } = await desk()
  await write("a.txt", "0\n")
  await treeshot("capture", "--label", "earlier")
  const large = await open(join(folder, "large.bin"), "w")
  await large.truncate(4 * 2 ** 30)
  await large.close()
  const child = spawn(process.execPath, [MAIN, "capture", "--store", gitdir, "--new-file-limit", "8GiB"], {
    cwd: folder,
    env: environment,
    stdio: ["ignore", "pipe", "pipe"],
  })
  const [out, err]: [Buffer[], Buffer[]] = [[], []]
  child.stdout.on("data", (part: Buffer) => out.push(part))
  child.stderr.on("data", (part: Buffer) => err.push(part))
  const ended = new Promise((resolve) => child.on("close", (status) => resolve(status)))
  // A lease says that the capture runs; hashing 4 GiB takes it long enough.
  while (child.exitCode === null && !(await readdir(join(gitdir, "leases"))).some((name) => name.endsWith(".json")))
    await new Promise((resolve) => setTimeout(resolve, 5))
  child.kill("SIGINT")
  expect({ status: await ended, text: Buffer.concat(out).toString(), stderr: Buffer.concat(err).toString() }).toEqual({
    status: 1,
    text: "",
    stderr: "treeshot: Interrupted. No snapshot was made.\n",
  })
  await rm(join(folder, "large.bin"))
  const list = await treeshot("list")
  expect(list.text.trimEnd().split("\n").length).toBe(2)
  expect(list.text).toContain("earlier")
})

test("a restore that cannot write everything says what failed, how to go back, and ends with status 1", async () => {
  const { treeshot, write, read, folder, gitdir, environment } = await desk()
  await write("locked/a.txt", "1")
  await write("b.txt", "1")
  onTestFinished(() => chmod(join(folder, "locked"), 0o755))
  await chmod(join(folder, "locked"), 0o555)
  await treeshot("capture")
  await chmod(join(folder, "locked"), 0o755)
  await write("locked/a.txt", "2")
  await write("b.txt", "2")
  await write("c.txt", "2")
  await chmod(join(folder, "locked"), 0o555)
  const command = [...withoutPrivileges(), process.execPath, MAIN, "restore", "latest", "--store", gitdir]
  const told = await start(command[0] as string, command.slice(1), folder, environment)
  expect(told).toMatchObject({ status: 1, stderr: "" })
  expect(told.text).toMatch(/^Not all of snapshot [0-9a-f]{10} \(just now\) could be restored:\n/)
  expect(told.text).toMatch(/ written {2}b\.txt\n/)
  expect(told.text).toMatch(/ kept {5}c\.txt {2}not deleted, because a write failed\n/)
  expect(told.text).toMatch(
    / failed {3}locked\/a\.txt {2}permission denied: .*\n1 written, 0 deleted, 1 kept, 1 path failed\.\n/,
  )
  expect([await read("b.txt"), await read("locked/a.txt")]).toEqual(["1", "2"])
  expect(told.text).toMatch(/ undo .*goes back/)
  await treeshot("undo")
  expect(await read("b.txt")).toBe("2")
})

test("a restore that runs out of room takes everything back and tells of its safety snapshot in one line", async () => {
  const { treeshot, write, read, folder, gitdir, environment } = await desk()
  await write("a.txt", "1")
  await write("large.bin", new Uint8Array(1_900_000))
  await treeshot("capture")
  await write("a.txt", "2")
  await write("large.bin", "small")
  const limited = ["-c", 'ulimit -f 1000; exec "$@"', "sh", process.execPath, MAIN]
  const told = await start("sh", [...limited, "restore", "latest", "--store", gitdir], folder, environment)
  expect(told).toMatchObject({ status: 1, text: "" })
  expect(told.stderr).toMatch(/^treeshot: [^\n]+ snapshot ([0-9a-f]{10}): [^\n]+ restore \1 [^\n]+\n$/)
  expect([await read("a.txt"), await read("large.bin")]).toEqual(["2", "small"])
  expect((await treeshot("list", "--kind", "safety")).text.trimEnd().split("\n")).toHaveLength(2)
})

test("help and version need no store, fit 80 columns and end with status 0", async () => {
  const { treeshot, gitdir } = await desk()
  const general = await treeshot()
  expect(general).toMatchObject({ status: 0, stderr: "" })
  expect((await treeshot("--help")).text).toBe(general.text)
  const check = async (name: string): Promise<void> => {
    expect(general.text).toMatch(new RegExp(`^  ${name} `, "m"))
    const help = await treeshot(name, "--help")
    expect(help).toMatchObject({ status: 0, stderr: "" })
    expect(help.text).toContain(`treeshot ${name}`)
    expect(help.text).toContain("Exit status:")
    for (const line of help.text.split("\n")) expect(line.length, line).toBeLessThanOrEqual(80)
  }
  for (const line of general.text.split("\n")) expect(line.length, line).toBeLessThanOrEqual(80)
  await Promise.all(
    [
      ...[
        "capture",
        "list",
        "show",
        "diff",
        "plan",
        "restore",
        "revert",
        "undo",
        "redo",
        "pin",
        "forget",
        "prune",
        "gc",
      ],
      ...["verify", "status", "stores", "serve", "desktop"],
    ].map(check),
  )
  expect((await treeshot("help", "diff")).text).toBe((await treeshot("diff", "--bogus", "-h")).text)
  const manifest: { readonly version: string } = JSON.parse(
    await readFile(new URL("../../package.json", import.meta.url), "utf8"),
  )
  expect((await treeshot("--version")).text).toContain(`treeshot/${manifest.version} `)
  expect(existsSync(gitdir)).toBe(false)
})

test("without --store the store lies in the user's data folder", async () => {
  const { environment, folder, write } = await desk()
  await write("a.txt", "a\n")
  const ran = await run(["capture", "--json"], folder, environment)
  expect(ran).toMatchObject({ status: 0, stderr: "" })
  expect(existsSync(environment["XDG_DATA_HOME"] as string)).toBe(true)
  expect(await readdir(folder)).toEqual(["a.txt"])
  expect(parsed(await run(["list", "--json"], folder, environment))).toEqual([parsed<Captured>(ran).snapshot])
})

test("times select snapshots, and a date means the whole day here", async () => {
  const { json, write } = await desk()
  await write("a.txt", "a\n")
  const { snapshot } = await json<Captured>("capture")
  const taken = new Date(snapshot.createdAt)
  const day = new Date(taken.getTime() - taken.getTimezoneOffset() * 60_000).toISOString().slice(0, 10)
  expect(await json("list", "--since", day, "--until", day)).toHaveLength(1)
  expect(await json("list", "--since", snapshot.createdAt)).toHaveLength(1)
  expect(await json("list", "--until", "2001-01-01")).toEqual([])
  expect(await json("list", "--since", "2999-01-01T00:00Z")).toEqual([])
})

test("pin, list, prune, forget and status tell what they do, for people and as JSON", async () => {
  const { treeshot, json, write } = await desk()
  for (const text of ["one", "two", "three"]) {
    await write("a", text)
    await treeshot("capture", "--label", text)
  }
  expect((await treeshot("pin", "latest~2")).text).toMatch(/^snapshot [0-9a-f]{10} \(one, .*\) is pinned\.\n$/)
  const listed = await treeshot("list")
  expect(listed.text).toMatch(/PINNED/)
  expect(listed.text).toMatch(/yes +one\n/)
  expect((await treeshot("show", "latest~2")).text).toMatch(/pinned +yes/)
  const dry = await treeshot("prune", "--keep-last", "1", "--dry-run")
  expect(dry).toMatchObject({ status: 0, stderr: "" })
  expect(dry.text).toMatch(/^To let go: 1 snapshot\n.* two +no rule keeps it\nTo keep: 2 snapshots\n/)
  expect(dry.text).toMatch(/three +the newest, one of the last\n.* one +pinned\n/)
  const dryReport = await json("prune", "--keep-last=1", "--dry-run")
  expect(await json("prune", "--keep-last=1")).toEqual(dryReport)
  expect(dryReport).toMatchObject({
    removed: [{ label: "two", reason: "no-rule" }],
    kept: [{}, { reasons: ["pinned"] }],
  })
  const over = await treeshot("prune", "--default", "--max-bytes", "1kB")
  expect(over.text).toMatch(/^No snapshot went\.\n/)
  expect(over.text).toMatch(/What has to stay is .* above the limit/)
  expect(await json("pin", "--remove", "latest~1")).toMatchObject({ label: "one", pinned: false })
  expect((await treeshot("forget", "latest~1")).text).toMatch(/^Forgot snapshot [0-9a-f]{10} \(one, /)
  const status = await treeshot("status")
  expect(status).toMatchObject({ status: 0, stderr: "" })
  expect(status.text).toMatch(/^folder .*\nstore .*\nsnapshots +1 capture, 0 safety, 0 pinned\n/)
  expect(status.text).toMatch(/gc.* gives back what is reclaimable\n$/)
  expect(await json("status")).toMatchObject({ snapshots: { captures: 1 }, leftovers: [] })
})

test("prune without a rule, or with one of another form, is wrong use and lets nothing go", async () => {
  const { treeshot, json, write } = await desk()
  for (const text of ["one", "two"]) {
    await write("a", text)
    await treeshot("capture", "--label", text)
  }
  const wrong: readonly (readonly [readonly string[], RegExp])[] = [
    [[], /needs a rule, such as --keep-last 50/],
    [["--dry-run"], /needs a rule/],
    [["--keep-within", "7"], /an age such as 30min, 12h, 7d or 4w/],
    [["--keep-within", "7 moons"], /an age such as/],
    [["--max-bytes", "much"], /a size such as/],
    [["--keep-last", "-1"], /./],
  ]
  for (const [words, told] of wrong) {
    const ran = await treeshot("prune", ...words)
    expect(ran).toMatchObject({ status: 2, text: "" })
    expect(ran.stderr).toMatch(told)
  }
  expect(await json<readonly unknown[]>("list")).toHaveLength(2)
  expect(await json("prune", "--keep-within", "12h", "--dry-run")).toMatchObject({ removed: [] })
})

test("stores lists the user's stores, and removes those whose folder is gone, from any folder", async () => {
  const { folder, environment } = await desk()
  const own = (...args: readonly string[]): Promise<Ran> => run(args, join(folder, ".."), environment)
  expect((await own("stores")).text).toBe("You have no store yet.\n")
  for (const name of ["there", "gone"]) {
    await mkdir(join(folder, "..", name))
    await writeFile(join(folder, "..", name, "a"), name)
    expect(await own("capture", "-C", name)).toMatchObject({ status: 0 })
  }
  await rm(join(folder, "../gone"), { recursive: true })
  const listed = await own("stores")
  expect(listed).toMatchObject({ status: 0, stderr: "" })
  expect(listed.text).toMatch(/gone +gone +1 /)
  expect(listed.text).toMatch(/\n2 stores, .*B\.\n$/)
  expect(parsed<readonly { worktree: string }[]>(await own("stores", "--json"))).toHaveLength(2)
  expect(await own("stores", "--remove")).toMatchObject({ status: 2, text: "" })
  expect(parsed<readonly { worktree: string }[]>(await own("stores", "--json"))).toHaveLength(2)
  expect((await own("stores", "--remove", "--yes")).text).toMatch(/\nDeleted 1 store, .*B\.\n$/)
  expect((await own("stores", "--remove")).text).toBe("Deleted no store.\n")
  expect(parsed<readonly { worktree: string }[]>(await own("stores", "--json"))).toMatchObject([{ worktree: "there" }])
})

test("verify tells what is wrong and whom it touches, with status 1, and repairs what it can", async () => {
  const { folder, gitdir, json, treeshot, write } = await desk()
  await write("a.txt", "one\n".repeat(40))
  await write("b.txt", "the same\n".repeat(40))
  const { snapshot } = await json<Captured>("capture", "--label", "the first")
  await write("a.txt", "two\n".repeat(40))
  await json("capture")
  expect(await treeshot("verify")).toMatchObject({
    status: 0,
    text: "2 snapshots and 7 objects checked: all is well.\n",
  })
  const packs = join(gitdir, "objects/pack")
  for (const name of (await readdir(packs)).filter((each) => each.endsWith(".pack"))) {
    await chmod(join(packs, name), 0o600)
    const bytes = await readFile(join(packs, name))
    bytes[bytes.length - 1] = (bytes[bytes.length - 1] as number) ^ 1
    await writeFile(join(packs, name), bytes)
  }
  const found = await treeshot("verify")
  expect(found.status).toBe(1)
  expect(found.text).toMatch(/problems\.$/m)
  expect(found.text).toMatch(/^ {2}corrupt {2}objects\/pack\/pack-\w+\.pack {2}1 snapshot$/m)
  expect(found.text).toMatch(/verify --repair.* take back/)
  const report = parsed<VerifyReport>(await treeshot("verify", "--json"))
  expect(report).toMatchObject({ ok: false, repaired: [], setAside: [] })
  const repaired = await treeshot("verify", "--repair")
  expect(repaired).toMatchObject({ status: 0, stderr: "" })
  expect(repaired.text).toMatch(
    /all is well\.\n[^]*Repaired: \d+ objects and files\.[^]*Moved aside, in the store:\n {2}damaged\//,
  )
  expect((await treeshot("show", snapshot.id, "a.txt")).text).toBe("one\n".repeat(40))
  expect(await readdir(folder)).toEqual(["a.txt", "b.txt"])
})

test("verify tells of the trees that it keeps of snapshots whose commits are lost, and restore takes them", async () => {
  const { gitdir, json, treeshot, read, write } = await desk()
  await write("a.txt", "one\n")
  const { snapshot } = await json<Captured>("capture")
  await write("a.txt", "two\n")
  await json("capture")
  await damageEntry({ fs, gitdir }, snapshot.id)
  const repaired = await treeshot("verify", "--repair")
  expect(repaired.status).toBe(1)
  expect(repaired.text).toContain(
    `\n\nKept without their snapshots, as trees that restore and diff take:\n  ${snapshot.tree}\n`,
  )
  expect(await treeshot("restore", snapshot.tree)).toMatchObject({ status: 0 })
  expect(await read("a.txt")).toBe("one\n")
})

test("verify --repair tells of a snapshot that could not be saved, with status 1, and the next verify is well", async () => {
  const { gitdir, json, treeshot, write } = await desk()
  await write("a.txt", "one")
  const { snapshot } = await json<Captured>("capture")
  await write("a.txt", "two")
  const packs = join(gitdir, "objects/pack")
  for (const name of (await readdir(packs)).filter((each) => each.endsWith(".pack"))) {
    await chmod(join(packs, name), 0o600)
    await writeFile(join(packs, name), "")
  }
  await json("capture")
  const { status, text } = await treeshot("verify", "--repair")
  expect(status).toBe(1)
  expect(text).toMatch(/\n1 snapshot could not be saved: \d{4}-\d\d-\d\d \d\d:\d\d\n/)
  expect(text).not.toMatch(/forget/)
  expect(text).toContain(`damaged/${snapshot.ref}`)
  expect(await treeshot("verify")).toMatchObject({ status: 0 })
  await writeFile(join(gitdir, "packed-refs"), "")
  expect((await treeshot("verify")).text).toMatch(/^ {2}corrupt {2}packed-refs {2}not known which snapshots$/m)
})
