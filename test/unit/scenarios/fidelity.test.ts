import fs from "node:fs"
import { join } from "node:path"
import { describe, expect, test } from "vitest"
import { EMPTY_TREE } from "../../../src/core/oid.js"
import { git, gitIsThere } from "../../support/git.js"
import { onDisk, onMemory, type StoreUnderTest } from "../../support/store-under-test.js"

const onLinux = process.platform === "linux"

describe.each([
  { name: "node:fs", start: onDisk },
  { name: "memfs", start: onMemory },
])("scenario 17: edits of the same size on $name", ({ start }) => {
  test("an edit of the same size with its mtime set back is captured, 100 times of 100", async () => {
    const place = await start({ durability: "process" })
    place.write("a", "edit 000")
    const store = await place.open()
    await store.capture()
    const file = join(place.root, "a")
    const times = place.fs.lstatSync(file)
    const set = (place.fs as unknown as Pick<typeof fs, "utimesSync">).utimesSync.bind(place.fs)
    for (let i = 1; i <= 100; i++) {
      const text = `edit ${String(i).padStart(3, "0")}`
      place.write("a", text)
      if (i % 2 === 0) set(file, times.atime, times.mtime)
      const { snapshot, changed } = await store.capture()
      expect(changed, text).toBe(true)
      expect(Buffer.from((await store.readFile(snapshot.id, "a")) ?? []).toString()).toBe(text)
    }
  })
})

describe("scenario 21: odd names", () => {
  const NAMES = [
    "naïve-日本語-🚀",
    " leading space",
    "trailing space ",
    "trailing dot.",
    "new\nline",
    "tab\tand\rreturn",
    "[*]:?<>|\"'",
    "back\\slash",
    "-dash",
    "--help",
    "~tilde",
    "$HOME `x` ;",
    "#comment",
    "!bang",
    "CON",
    "nul.txt",
    "com1",
    "e\u0301",
    "\u00e9",
    "Case",
    "case",
    "\ufeffbom",
    "\u{ffff}\u{10000}",
    "a".repeat(255),
    "__proto__",
    "constructor",
    ":(top)pathspec",
    "...",
    ".gitx",
  ].filter((name) => onLinux || /^[-\w. #!~$;]+$/.test(name))

  test("each name of a file, a link and a folder round-trips, bytes exact", async () => {
    const place = await onDisk()
    for (const name of NAMES) {
      place.write(`files/${name}`, `content of ${name}`)
      place.write(`folders/${name}/in`, "x")
      place.link(`links/${name}`, name)
    }
    const store = await place.open()
    const { snapshot, skipped } = await store.capture()
    expect(skipped).toEqual([])
    const then = place.content()
    const paths = (await store.changes(EMPTY_TREE, snapshot.id)).map(({ path }) => path)
    expect(paths).toHaveLength(3 * NAMES.length)
    for (const name of NAMES) {
      const bytes = await store.readFile(snapshot.id, `files/${name}`)
      expect(Buffer.from(bytes ?? []).toString()).toBe(`content of ${name}`)
      const only = await store.changes(EMPTY_TREE, snapshot.id, { paths: [`folders/${name}`] })
      expect(only.map(({ path }) => path)).toEqual([`folders/${name}/in`])
    }
    for (const path of ["files", "folders", "links"]) place.remove(path)
    expect((await store.restore(snapshot.id)).complete).toBe(true)
    expect(place.content()).toEqual(then)
  })

  test.runIf(onLinux)(
    "a name that is not UTF-8 is listed as skipped, shown with escapes, and survives a restore",
    async () => {
      const place = await onDisk()
      const odd = Buffer.from(`${place.root}/caf\xe9`, "latin1")
      const folder = Buffer.from(`${place.root}/f\xff`, "latin1")
      fs.writeFileSync(odd, "x")
      fs.mkdirSync(folder)
      fs.writeFileSync(Buffer.concat([folder, Buffer.from("/in")]), "x")
      place.write("a", "one")
      const store = await place.open()
      const { snapshot, skipped } = await store.capture()
      expect(skipped).toEqual([
        { path: "caf\\xe9", reason: "unsafe-name" },
        { path: "f\\xff", reason: "unsafe-name" },
      ])
      place.write("a", "two")
      const before = place.content()
      await store.restore(snapshot.id)
      expect(place.content()).toEqual({ ...before, a: 'file 644 "one"' })
    },
  )

  test.runIf(onLinux)("a rename that changes only the letter case or the normal form is taken back", async () => {
    const place = await onDisk()
    for (const [from, to] of [
      ["Name", "name"],
      ["\u00e9", "e\u0301"],
    ] as const) {
      place.write(from, "one")
      const store = await place.open()
      const { snapshot } = await store.capture({ label: from })
      fs.renameSync(join(place.root, from), join(place.root, to))
      const report = await store.restore(snapshot.id)
      expect(report.outcomes.map(({ path, action }) => [path, action]).toSorted()).toEqual(
        [
          [from, "written"],
          [to, "deleted"],
        ].toSorted(),
      )
      expect([place.read(from), place.read(to)]).toEqual(["one", undefined])
    }
  })
})

describe("scenario 24: bytes that some tool would change", () => {
  const CONTENTS: Readonly<Record<string, Uint8Array>> = {
    "crlf.txt": Buffer.from("one\r\ntwo\r\n"),
    "lf.txt": Buffer.from("one\ntwo\n"),
    "mixed.txt": Buffer.from("one\r\ntwo\nthree\rfour"),
    "ident.txt": Buffer.from("$Id$ $Id: old $\n"),
    "latin1.txt": Buffer.from("caf\xe9\n", "latin1"),
    "utf16.txt": Buffer.from("\ufefftext\r\n", "utf16le"),
    "bom.txt": Buffer.from("\ufefftext\n"),
    "binary.bin": Uint8Array.from({ length: 1024 }, (_, i) => (i * 7) % 256),
    "nul.txt": Buffer.from("a\0b\r\n"),
    "pointer.lfs": Buffer.from("version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 3\n"),
    empty: new Uint8Array(),
    "large.bin": Uint8Array.from({ length: 1 << 20 }, (_, i) => (i * 31 + (i >> 8)) % 256),
  }
  const ATTRIBUTES =
    "* text=auto eol=crlf ident\n*.lfs filter=lfs diff=lfs merge=lfs -text\nutf16.txt working-tree-encoding=UTF-16\n"

  const filled = (place: StoreUnderTest, change: (bytes: Uint8Array) => Uint8Array): void => {
    place.write(".gitattributes", ATTRIBUTES)
    for (const [name, bytes] of Object.entries(CONTENTS)) place.write(name, change(bytes))
  }

  test("CRLF, attributes, filters, encodings, binaries and bits are identical after a restore", async () => {
    const place = await onDisk()
    if (gitIsThere()) {
      git(["init", "--quiet"], { cwd: place.root })
      for (const setting of ["core.autocrlf", "core.safecrlf"]) git(["config", setting, "true"], { cwd: place.root })
      git(["config", "filter.lfs.clean", "tr a-z A-Z"], { cwd: place.root })
    }
    filled(place, (bytes) => bytes)
    for (const [i, bits] of [0o600, 0o640, 0o700, 0o755, 0o444, 0o555, 0o664].entries())
      place.write(`bits-${i}`, "x", bits)
    const store = await place.open()
    const { snapshot } = await store.capture()
    for (const [name, bytes] of Object.entries(CONTENTS))
      expect(Buffer.from((await store.readFile(snapshot.id, name)) ?? []).equals(bytes), name).toBe(true)
    const then = place.content()
    filled(place, (bytes) => Buffer.concat([bytes, Buffer.from("more\r\n")]))
    for (let i = 0; i < 7; i++) place.remove(`bits-${i}`)
    expect((await store.restore(snapshot.id)).complete).toBe(true)
    expect(place.content()).toEqual(then)
    for (const [name, bytes] of Object.entries(CONTENTS))
      expect(fs.readFileSync(join(place.root, name)).equals(bytes), name).toBe(true)
  })

  test("a change of bits alone is restored, and a hard link of the file elsewhere keeps its own", async () => {
    const place = await onDisk()
    place.write("script", "x", 0o755)
    place.write("secret", "x", 0o600)
    const store = await place.open()
    const { snapshot } = await store.capture()
    fs.chmodSync(join(place.root, "script"), 0o644)
    fs.chmodSync(join(place.root, "secret"), 0o644)
    fs.linkSync(join(place.root, "secret"), join(place.scratch, "other-name"))
    await store.restore(snapshot.id)
    expect(place.content()).toEqual({ script: 'file 755 "x"', secret: 'file 600 "x"' })
    expect(fs.lstatSync(join(place.scratch, "other-name")).mode & 0o777).toBe(0o644)
  })
})
