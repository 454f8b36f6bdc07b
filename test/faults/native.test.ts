import { execFileSync } from "node:child_process"
import { randomBytes } from "node:crypto"
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs"
import { join } from "node:path"
import { describe, expect, test, vi } from "vitest"
import type { SnapshotStore } from "../../src/index.js"
import { memDisk } from "../support/disk.js"
import { git, gitIsThere } from "../support/git.js"
import { gitThat } from "../support/git-that.js"
import { expectError, onDisk, type StoreUnderTest } from "../support/store-under-test.js"
import { temporaryFolder } from "../support/temporary-folder.js"

test("without git on the path, opening is UNSUPPORTED and makes no store", async () => {
  const under = await onDisk({ backend: "native" })
  vi.stubEnv("PATH", await temporaryFolder())
  const error = await expectError(under.open(), "UNSUPPORTED", { capability: "backend native" })
  expect(error.cause).toMatchObject({ code: "GIT_FAILED", message: expect.stringContaining("no such program") })
  expect(existsSync(under.gitdir)).toBe(false)
})

test("on a file system of the caller's own, opening is UNSUPPORTED", async () => {
  const under = await onDisk({ backend: "native" })
  const { client } = memDisk()
  client.mkdirSync("/work")
  await expectError(under.open({ worktree: "/work", fs: client as never }), "UNSUPPORTED", {
    capability: "backend native",
  })
})

test("a backend of another name is INVALID_ARGUMENT", async () => {
  const under = await onDisk()
  await expectError(under.open({ backend: "jgit" as never }), "INVALID_ARGUMENT", { argument: "backend" })
})

describe.runIf(gitIsThere())("with native git", () => {
  for (const command of ["fast-import", "update-index", "write-tree", "pack-objects"])
    test(`when git ${command} fails, its exit status and stderr are told, and nothing is left`, async () => {
      const under = await changedOnce()
      await gitThat(`case "$*" in *"${command}"*) cat >/dev/null; echo "fatal: no $$" >&2; exit 71;; esac`)
      const store = await under.open({ backend: "native" })
      const before = under.refs()
      const error = await store.capture().catch((reason: unknown) => reason)
      expect(error).toMatchObject({ code: "GIT_FAILED", details: { exitStatus: 71 } })
      const { args, stderr } = (error as { details: { args: string[]; stderr: string } }).details
      expect(args).toContain(command)
      expect(stderr).toMatch(/^fatal: no \d+\n$/)
      expect(under.refs()).toEqual(before)
      expect(under.leftovers()).toEqual([])
    })

  test("when git ends before it has read the contents, the capture fails with what git said", async () => {
    const under = await changedOnce()
    await gitThat(`case "$*" in *fast-import*) echo "fatal: no room" >&2; exit 128;; esac`)
    const store = await under.open({ backend: "native" })
    for (let i = 0; i < 40; i++) under.write(`large-${i}`, randomBytes(300_000))
    const error = await store.capture().catch((reason: unknown) => reason)
    expect(error).toMatchObject({ code: "GIT_FAILED", details: { exitStatus: 128, stderr: "fatal: no room\n" } })
    expect(under.leftovers()).toEqual([])
  })

  test("when git builds another tree than the files say, nothing is captured", async () => {
    const under = await changedOnce()
    await gitThat(`case "$*" in *write-tree*) echo 4b825dc642cb6eb9a060e54bf8d69288fbee4904; exit 0;; esac`)
    const store = await under.open({ backend: "native" })
    const before = under.refs()
    await expectError(store.capture(), "GIT_FAILED", { args: ["write-tree"], exitStatus: 0, stderr: "" })
    expect(under.refs()).toEqual(before)
    expect(under.leftovers()).toEqual([])
  })

  test("git is told only of the paths that differ from the snapshot before", async () => {
    const under = await changedOnce()
    const told = await temporaryFolder()
    await gitThat(`case "$*" in *--index-info*) tee "${told}/lines" | "$REAL" "$@"; exit;; esac`)
    const store = await under.open({ backend: "native" })
    await store.capture()
    const lines = readFileSync(join(told, "lines"), "utf8").split("\0").slice(0, -1)
    expect(lines.map((line) => line.replace(/ [0-9a-f]{40}\t/, " "))).toEqual(["0 folder/gone", "100644 folder/new"])
  })

  test("without new contents, git imports nothing", async () => {
    const under = await onDisk()
    for (const name of ["kept", "gone"]) under.write(name, name)
    const store = await under.open({ backend: "native" })
    await store.capture()
    const ran = join(await temporaryFolder(), "ran")
    await gitThat(`echo "$*" >> "${ran}"`)
    under.remove("gone")
    expect((await store.capture()).changed).toBe(true)
    expect(readFileSync(ran, "utf8")).toContain("write-tree")
    expect(readFileSync(ran, "utf8")).not.toContain("fast-import")
  })

  for (const [what, lines] of [
    ["is without an object", `case "$*" in *pack-objects*) head -n -1 | "$REAL" "$@"; exit $?;; esac`],
    [
      "is damaged",
      `case "$*" in *pack-objects*) name=$("$REAL" "$@") || exit 1; for out; do :; done
         chmod u+w "$out-$name.pack"; printf XXXX | dd of="$out-$name.pack" bs=1 seek=20 conv=notrunc 2>/dev/null; echo "$name"; exit 0;; esac`,
    ],
  ] as const)
    test(`when the pack that git made ${what}, nothing is captured`, async () => {
      const under = await changedOnce()
      await gitThat(lines)
      const store = await under.open({ backend: "native" })
      const before = under.refs()
      await expect(store.capture()).rejects.toMatchObject({ code: "IO_FAILED", details: { action: "read the pack" } })
      expect(under.refs()).toEqual(before)
      expect(under.leftovers()).toEqual([])
    })

  test("an aborted capture ends git, rejects with the reason and leaves nothing", async () => {
    const under = await changedOnce()
    await gitThat(`case "$*" in *fast-import*) echo $$ > "$PIDS/pid"; exec sleep 600;; esac`)
    const pids = await temporaryFolder()
    vi.stubEnv("PIDS", pids)
    const store = await under.open({ backend: "native" })
    const controller = new AbortController()
    const capturing = store.capture({ signal: controller.signal })
    await vi.waitUntil(() => existsSync(join(pids, "pid")) && readFileSync(join(pids, "pid"), "utf8").endsWith("\n"))
    const reason = new Error("enough")
    controller.abort(reason)
    await expect(capturing).rejects.toBe(reason)
    expect(() => process.kill(Number(readFileSync(join(pids, "pid"), "utf8")), 0)).toThrow("ESRCH")
    expect(under.leftovers()).toEqual([])
  })

  test("the store's index, a stale lock beside it and what the environment points git at are not in the way, nor touched", async () => {
    const under = await changedOnce()
    for (const name of ["index", "index.lock", "shallow.lock", "packed-refs.lock"])
      writeFileSync(join(under.gitdir, name), "not mine")
    const elsewhere = await temporaryFolder()
    for (const name of ["GIT_DIR", "GIT_INDEX_FILE", "GIT_OBJECT_DIRECTORY", "GIT_WORK_TREE"])
      vi.stubEnv(name, join(elsewhere, name))
    const store = await under.open({ backend: "native" })
    const { changed } = await store.capture()
    expect(changed).toBe(true)
    for (const name of ["index", "index.lock", "shallow.lock", "packed-refs.lock"])
      expect(readFileSync(join(under.gitdir, name), "utf8")).toBe("not mine")
    expect(readdirSync(elsewhere)).toEqual([])
  })

  test("a broken configuration of the user's is not in the way", async () => {
    const under = await changedOnce()
    writeFileSync(join(process.env["HOME"] ?? "", ".gitconfig"), "[core\n junk")
    const store = await under.open({ backend: "native" })
    expect((await store.capture()).changed).toBe(true)
  })

  test("what the base lost is stored again, and git reads the new snapshot whole", async () => {
    const under = await changedOnce()
    const packs = join(under.gitdir, "objects/pack")
    for (const name of readdirSync(packs)) {
      const path = join(packs, name)
      chmodSync(path, 0o600)
      writeFileSync(path, readFileSync(path).subarray(0, Math.floor(statSync(path).size / 2)))
    }
    const store = await under.open({ backend: "native" })
    const { snapshot } = await store.capture()
    const listed = git(["--git-dir", under.gitdir, "rev-list", "--objects", snapshot.id]).text
    expect(listed).toContain("folder/new")
    expect(Buffer.from((await store.readFile(snapshot.id, "folder/kept")) ?? []).toString()).toBe("kept")
  })

  test("nested repositories, links, odd names, limits and ignore rules give the tree and the skipped paths of the pure backend, first and after changes", async () => {
    const under = await onDisk()
    for (const nested of ["nested", "vendor/empty"]) {
      under.write(`${nested}/file`, nested)
      git(["init", "--quiet", join(under.root, nested)])
    }
    git(["-C", join(under.root, "nested"), "add", "."])
    git(["-C", join(under.root, "nested"), "commit", "--quiet", "-m", "one"])
    git(["init", "--quiet", under.root])
    under.link("dangling", "nowhere")
    under.link("to-folder", "nested")
    for (const name of [' "quoted"\t', "new\nline", "back\\slash", "[*]:?", "\u00e9", "e\u0301", "-rf", "\r"])
      under.write(`odd/${name}`, name)
    writeFileSync(Buffer.concat([Buffer.from(`${under.root}/odd/`), Buffer.from([0xff, 0x61])]), "no UTF-8")
    under.write("GIT~1", "unsafe")
    under.write("new.bin", Buffer.alloc(5000, 1))
    under.write("large.bin", randomBytes(3_000_000))
    under.write("tracked.log", Buffer.alloc(5000, 2))
    under.write(".gitignore", "*.log\n/out/*\n!/out/kept\n")
    under.write("out/kept", "kept")
    under.write("out/left", "left")
    git(["-C", under.root, "add", "--force", "large.bin", "tracked.log"])
    execFileSync("mkfifo", [join(under.root, "fifo")])
    const open = (backend: "native" | "pure", more: object = {}): Promise<SnapshotStore> =>
      under.open({
        backend,
        workspace: backend,
        gitdir: `${under.gitdir}-${backend}`,
        newFileLimitBytes: 4000,
        ...more,
      })
    const same = async (more?: object): Promise<void> => {
      const [native, pure] = await Promise.all([open("native", more), open("pure", more)])
      const [one, other] = [await native.capture(), await pure.capture()]
      expect(one.snapshot.tree).toBe(other.snapshot.tree)
      expect(one.skipped).toEqual(other.skipped)
      expect(one.stats.filesScanned).toBe(other.stats.filesScanned)
    }
    await same()
    const pure = await open("pure")
    expect((await pure.capture()).skipped.map(({ reason }) => reason)).toEqual(
      expect.arrayContaining(["special-file", "too-large", "unsafe-name"]),
    )
    under.remove("nested")
    under.write("nested", "a file now")
    under.remove("dangling")
    under.write("dangling/inside", "a folder now", 0o755)
    await same()
    await same({ include: ["out/**", "odd/*"] })
  })

  test("attributes and line endings change no byte, and both backends give the same tree", async () => {
    const under = await onDisk()
    under.write(".gitattributes", "* text=auto eol=lf\n*.z filter=lfs\n*.u working-tree-encoding=UTF-16\n")
    under.write("crlf.txt", "a\r\nb\r\n")
    under.write("big.z", "content\r\n")
    under.write("wide.u", "text\r\n")
    const native = await under.open({ backend: "native", workspace: "native" })
    const pure = await under.open({ workspace: "pure" })
    const captured = await native.capture()
    expect(captured.snapshot.tree).toBe((await pure.capture()).snapshot.tree)
    for (const name of ["crlf.txt", "big.z", "wide.u"])
      expect(Buffer.from((await native.readFile(captured.snapshot.id, name)) ?? []).toString()).toBe(under.read(name))
  })
})

test.runIf(gitIsThere())(
  "contents go to git, and no names, because git hash-object reads through a link and gives up all for one that is gone",
  async () => {
    const folder = await temporaryFolder()
    mkdirSync(join(folder, "work"))
    writeFileSync(join(folder, "secret"), "secret")
    symlinkSync("../secret", join(folder, "work/link"))
    const cwd = join(folder, "work")
    const through = git(["hash-object", "--no-filters", "--stdin-paths"], { cwd, input: "link\n" }).text
    expect(through).toBe(git(["hash-object", "--stdin"], { cwd, input: "secret" }).text)
    const gone = git(["hash-object", "--no-filters", "--stdin-paths"], { cwd, input: "gone\nlink\n", anyStatus: true })
    expect([gone.status, gone.text]).toEqual([128, ""])
  },
)

/** A store with a snapshot, and something to capture since. */
async function changedOnce(): Promise<StoreUnderTest> {
  const under = await onDisk()
  under.write("folder/kept", "kept")
  under.write("folder/gone", "gone")
  under.link("folder/link", "kept")
  const store = await under.open()
  await store.capture()
  under.write("folder/new", "new")
  under.remove("folder/gone")
  return under
}
