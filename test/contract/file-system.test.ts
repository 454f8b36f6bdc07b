import { memfs } from "memfs"
import nodeFs from "node:fs"
import { afterAll, beforeEach, describe, expect, test } from "vitest"
import { equalBytes, utf8 } from "../../src/core/bytes.js"
import { errnoOf, SnapshotError } from "../../src/core/errors.js"
import type { FileSystemClient } from "../../src/core/file-system-client.js"
import type { FileSystem } from "../../src/core/file-system.js"
import { clientFileSystem } from "../../src/platform/client-file-system.js"
import { nodeFileSystem } from "../../src/platform/node/node-file-system.js"
import { temporaryFolder } from "../support/temporary-folder.js"

interface Medium {
  readonly name: string
  start(): Promise<{ readonly fs: FileSystem; readonly root: string }>
}

const MEDIA: readonly Medium[] = [
  { name: "node:fs", start: async () => ({ fs: nodeFileSystem(), root: await temporaryFolder() }) },
  { name: "memfs", start: async () => onMemory() },
  {
    name: "node:fs by its promises",
    start: async () => ({ fs: clientFileSystem(nodeFs), root: await temporaryFolder() }),
  },
]

describe.each(MEDIA)("a file system on $name", ({ start }) => {
  let fs: FileSystem
  let root: string
  const openBefore = openDescriptors()

  beforeEach(async () => {
    ;({ fs, root } = await start())
  })

  afterAll(() => {
    // Not one test of this suite leaves a descriptor behind.
    expect(openDescriptors()).toBeLessThanOrEqual(openBefore)
  })

  async function put(name: string, content: string, permissions?: number): Promise<string> {
    const path = `${root}/${name}`
    const file = await fs.open(path, "create", permissions)
    await file.write(utf8(content), 0)
    await file.close()
    return path
  }

  async function content(path: string): Promise<string | undefined> {
    const bytes = await fs.readFile(path)
    return bytes === undefined ? undefined : new TextDecoder().decode(bytes)
  }

  test("what is not there is undefined for every reading call, and a file in the way counts as not there", async () => {
    await put("file", "x")
    for (const path of [`${root}/none`, `${root}/none/deeper`, `${root}/file/below`]) {
      expect(await fs.lstat(path)).toBeUndefined()
      expect(await fs.list(path)).toBeUndefined()
      expect(await fs.readLink(path)).toBeUndefined()
      expect(await fs.realPath(path)).toBeUndefined()
      expect(await fs.readFile(path)).toBeUndefined()
    }
  })

  test("lstat tells kind, permissions, size, links, inode and times", async () => {
    const before = BigInt(Date.now() - 60_000) * 1_000_000n
    const file = await put("file", "four", 0o640)
    await fs.makeFolder(`${root}/folder`, 0o750)
    await fs.makeLink(utf8("file"), `${root}/link`)
    await fs.linkFile(file, `${root}/second`)
    const stat = await fs.lstat(file)
    expect(stat).toMatchObject({ kind: "file", permissions: 0o640, sizeBytes: 4, links: 2 })
    expect(stat?.mtimeNs).toBeGreaterThan(before)
    expect(stat?.ctimeNs).toBeGreaterThan(before)
    expect((await fs.lstat(`${root}/second`))?.inode).toBe(stat?.inode)
    expect((await fs.lstat(`${root}/second`))?.device).toBe(stat?.device)
    expect(await fs.lstat(`${root}/folder`)).toMatchObject({ kind: "folder", permissions: 0o750 })
    expect(await fs.lstat(`${root}/link`)).toMatchObject({ kind: "link" })
  })

  test("a slash at the end of a path does not make lstat, list or openFolder follow a link", async () => {
    await fs.makeFolder(`${root}/folder`)
    await fs.makeLink(utf8("folder"), `${root}/link`)
    expect((await fs.lstat(`${root}/link/`))?.kind).toBe("link")
    expect(await errno(fs.list(`${root}/link/`))).toBe("ENOTDIR")
    expect(await errno(fs.openFolder(`${root}/link/`))).toMatch(/^(ENOTDIR|ELOOP)$/)
    expect((await fs.lstat(`${root}/folder/`))?.kind).toBe("folder")
  })

  test("list gives every name once with its kind, and neither . nor ..", async () => {
    await put("a file\nwith\\odd \u00e9 \u{1f600} name", "x")
    await put(".hidden", "x")
    await fs.makeFolder(`${root}/folder`)
    await put("folder/inside", "x")
    await fs.makeLink(utf8("nowhere"), `${root}/dangling`)
    await fs.makeLink(utf8("folder"), `${root}/to-folder`)
    const items = await fs.list(root)
    expect(items?.toSorted((a, b) => (a.name < b.name ? -1 : 1))).toEqual([
      { name: ".hidden", kind: "file" },
      { name: "a file\nwith\\odd \u00e9 \u{1f600} name", kind: "file" },
      { name: "dangling", kind: "link" },
      { name: "folder", kind: "folder" },
      { name: "to-folder", kind: "link" },
    ])
  })

  test("list keeps a name that holds a real U+FFFD apart from nothing", async () => {
    await put("odd \uFFFD name", "x")
    expect(await fs.list(root)).toEqual([{ name: "odd \uFFFD name", kind: "file" }])
  })

  test("list refuses a file and a link to a folder with ENOTDIR", async () => {
    const file = await put("file", "x")
    await fs.makeFolder(`${root}/folder`)
    await fs.makeLink(utf8("folder"), `${root}/link`)
    expect(await errno(fs.list(file))).toBe("ENOTDIR")
    expect(await errno(fs.list(`${root}/link`))).toBe("ENOTDIR")
  })

  test("the text of a link comes back byte for byte, whatever it leads to", async () => {
    for (const text of ["a", "../up//twice/./", "/absolute\n", "\u00e9 \u{1f600}", "x".repeat(1000)]) {
      await fs.makeLink(utf8(text), `${root}/link`)
      expect(await fs.readLink(`${root}/link`)).toEqual(utf8(text))
      await fs.unlink(`${root}/link`)
    }
  })

  test("readLink of what is no link gives undefined, as of what is not there", async () => {
    expect(await fs.readLink(await put("file", "x"))).toBeUndefined()
    expect(await fs.readLink(`${await put("other", "x")}-not`)).toBeUndefined()
  })

  test("makeLink does not replace what is there", async () => {
    const path = await put("taken", "kept")
    expect(await errno(fs.makeLink(utf8("x"), path))).toBe("EEXIST")
    expect(await content(path)).toBe("kept")
  })

  test("realPath resolves links on the way and at the end", async () => {
    await fs.makeFolder(`${root}/folder`)
    await put("folder/file", "x")
    await fs.makeLink(utf8("folder"), `${root}/link`)
    await fs.makeLink(utf8("link/file"), `${root}/second`)
    expect(await fs.realPath(`${root}/second`)).toBe(`${root}/folder/file`)
  })

  test("readFile follows links and gives the whole content, even none", async () => {
    const big = Uint8Array.from({ length: 300_000 }, (_, i) => i * 7)
    const file = await fs.open(`${root}/big`, "create")
    await file.write(big, 0)
    await file.close()
    await fs.makeLink(utf8("big"), `${root}/link`)
    await put("empty", "")
    expect(equalBytes((await fs.readFile(`${root}/link`)) ?? new Uint8Array(0), big)).toBe(true)
    expect(await fs.readFile(`${root}/empty`)).toEqual(new Uint8Array(0))
    expect(await errno(fs.readFile(root))).toBe("EISDIR")
  })

  test("what readFile gave is the caller's own: changing it changes no file", async () => {
    const path = await put("file", "same")
    ;(await fs.readFile(path))?.fill(0)
    expect(await content(path)).toBe("same")
  })

  test("create makes a new file with exactly these permissions, and refuses any name that is taken", async () => {
    for (const permissions of [0o600, 0o777, 0o666, 0o400]) {
      const path = await put(`mode-${permissions}`, "x", permissions)
      expect((await fs.lstat(path))?.permissions).toBe(permissions)
    }
    await fs.makeFolder(`${root}/folder`)
    await fs.makeLink(utf8("nowhere"), `${root}/dangling`)
    for (const name of ["mode-384", "folder", "dangling"])
      expect(await errno(fs.open(`${root}/${name}`, "create"))).toBe("EEXIST")
    expect(await fs.lstat(`${root}/nowhere`)).toBeUndefined()
  })

  test("a created file can be written, read, cut and its mode set through its handle", async () => {
    const file = await fs.open(`${root}/new`, "create", 0o600)
    await file.write(utf8("hello world"), 0)
    await file.write(utf8("WORLD"), 6)
    await file.write(new Uint8Array(0), 3)
    const buffer = new Uint8Array(20)
    expect(await file.read(buffer, 6)).toBe(5)
    expect(new TextDecoder().decode(buffer.subarray(0, 5))).toBe("WORLD")
    expect(await file.read(buffer, 100)).toBe(0)
    expect(await file.read(new Uint8Array(0), 0)).toBe(0)
    await file.truncate(5)
    await file.chmod(0o755)
    await file.sync()
    expect(await file.stat()).toMatchObject({ kind: "file", sizeBytes: 5, permissions: 0o755 })
    await file.close()
    expect(await content(`${root}/new`)).toBe("hello")
  })

  test("a write behind the end leaves zeros between", async () => {
    const file = await fs.open(`${root}/gap`, "create")
    await file.write(utf8("x"), 3)
    await file.close()
    expect(await fs.readFile(`${root}/gap`)).toEqual(Uint8Array.of(0, 0, 0, 0x78))
  })

  test("read opens files only: not links, not folders, not what is missing", async () => {
    await put("file", "x")
    await fs.makeLink(utf8("file"), `${root}/link`)
    await fs.makeFolder(`${root}/folder`)
    expect(await errno(fs.open(`${root}/link`, "read"))).toBe("ELOOP")
    expect(await errno(fs.open(`${root}/folder`, "read"))).toBe("EISDIR")
    expect(await errno(fs.open(`${root}/none`, "read"))).toBe("ENOENT")
  })

  test("update writes into an existing file without cutting it, and neither creates nor follows", async () => {
    const path = await put("file", "abcdef")
    const file = await fs.open(path, "update")
    await file.write(utf8("X"), 2)
    await file.close()
    expect(await content(path)).toBe("abXdef")
    await fs.makeLink(utf8("file"), `${root}/link`)
    expect(await errno(fs.open(`${root}/link`, "update"))).toBe("ELOOP")
    expect(await errno(fs.open(`${root}/none`, "update"))).toBe("ENOENT")
    expect(await fs.lstat(`${root}/none`)).toBeUndefined()
  })

  test("a closed file can be closed again and takes no other call", async () => {
    const file = await fs.open(await put("file", "x"), "read")
    await file.close()
    await file.close()
    expect(await errno(file.read(new Uint8Array(1), 0))).toBe("EBADF")
    expect(await errno(file.stat())).toBe("EBADF")
  })

  test("a file that is closed while it is read gives its own bytes, and no other file's", async () => {
    const one = await fs.open(await put("one", "1".repeat(400_000)), "read")
    const buffer = new Uint8Array(400_000)
    const reading = one.read(buffer, 0)
    const closing = one.close()
    const two = await fs.open(await put("two", "2".repeat(400_000)), "read")
    await closing
    expect(await reading).toBe(400_000)
    expect(buffer.every((byte) => byte === 0x31)).toBe(true)
    await two.close()
  })

  test("makeFolder gives exactly these permissions and refuses a name that is taken", async () => {
    await fs.makeFolder(`${root}/a`, 0o700)
    await fs.makeFolder(`${root}/b`, 0o777)
    expect((await fs.lstat(`${root}/a`))?.permissions).toBe(0o700)
    expect((await fs.lstat(`${root}/b`))?.permissions).toBe(0o777)
    expect(await errno(fs.makeFolder(`${root}/a`))).toBe("EEXIST")
    expect(await errno(fs.makeFolder(`${root}/none/a`))).toBe("ENOENT")
  })

  test("chmodFolder sets the permissions of a folder and never reaches through a link", async () => {
    await fs.makeFolder(`${root}/folder`, 0o755)
    await fs.makeLink(utf8("folder"), `${root}/link`)
    expect(await errno(fs.chmodFolder(`${root}/link`, 0o700))).toMatch(/^(ENOTDIR|ELOOP)$/)
    expect((await fs.lstat(`${root}/folder`))?.permissions).toBe(0o755)
    await fs.chmodFolder(`${root}/folder`, 0o700)
    expect((await fs.lstat(`${root}/folder`))?.permissions).toBe(0o700)
  })

  test("cloneFile makes a file of its own with the same content, or says that it cannot and makes nothing", async () => {
    const file = await put("file", "x")
    const isMade = await fs.cloneFile(file, `${root}/clone`)
    expect((await fs.lstat(`${root}/clone`)) !== undefined).toBe(isMade)
    if (!isMade) return
    expect(await content(`${root}/clone`)).toBe("x")
    expect((await fs.lstat(file))?.links).toBe(1)
  })

  test("linkFile links a link itself, and refuses a name that is taken", async () => {
    const file = await put("file", "x")
    await fs.makeLink(utf8("file"), `${root}/link`)
    await fs.linkFile(`${root}/link`, `${root}/copy`)
    expect(await fs.readLink(`${root}/copy`)).toEqual(utf8("file"))
    expect(await errno(fs.linkFile(file, `${root}/link`))).toBe("EEXIST")
    expect(await errno(fs.linkFile(`${root}/link`, file))).toBe("EEXIST")
    expect(await errno(fs.linkFile(`${root}/none`, `${root}/new`))).toBe("ENOENT")
    expect(await content(file)).toBe("x")
  })

  test("rename replaces a file or a link of the new name", async () => {
    await put("from", "new")
    await put("to", "old")
    await fs.rename(`${root}/from`, `${root}/to`)
    expect(await content(`${root}/to`)).toBe("new")
    expect(await fs.lstat(`${root}/from`)).toBeUndefined()
    await fs.makeLink(utf8("to"), `${root}/link`)
    await fs.rename(`${root}/to`, `${root}/link`)
    expect((await fs.lstat(`${root}/link`))?.kind).toBe("file")
    expect(await content(`${root}/link`)).toBe("new")
  })

  test("rename moves a link itself, over a file and to a free name", async () => {
    await put("target", "kept")
    await put("over", "gone")
    await fs.makeLink(utf8("target"), `${root}/link`)
    await fs.rename(`${root}/link`, `${root}/free`)
    expect(await fs.readLink(`${root}/free`)).toEqual(utf8("target"))
    await fs.rename(`${root}/free`, `${root}/over`)
    expect(await fs.readLink(`${root}/over`)).toEqual(utf8("target"))
    expect(await content(`${root}/target`)).toBe("kept")
    expect((await fs.list(root))?.map(({ name }) => name).toSorted()).toEqual(["over", "target"])
  })

  test("rename refuses what is missing, a file over a folder, and a folder over what is no empty folder", async () => {
    const file = await put("file", "x")
    await fs.makeFolder(`${root}/full`)
    await put("full/inside", "kept")
    await fs.makeFolder(`${root}/other`)
    await put("other/mine", "mine")
    expect(await errno(fs.rename(`${root}/none`, `${root}/new`))).toBe("ENOENT")
    expect(await errno(fs.rename(file, `${root}/full`))).toBe("EISDIR")
    expect(await errno(fs.rename(`${root}/other`, file))).toBe("ENOTDIR")
    expect(await errno(fs.rename(`${root}/other`, `${root}/full`))).toMatch(/^(ENOTEMPTY|EEXIST)$/)
    expect(await content(`${root}/full/inside`)).toBe("kept")
    expect(await content(`${root}/other/mine`)).toBe("mine")
    expect(await content(file)).toBe("x")
  })

  test("rename moves a folder with all that is in it", async () => {
    await fs.makeFolder(`${root}/from`)
    await put("from/inside", "x")
    await fs.rename(`${root}/from`, `${root}/to`)
    expect(await content(`${root}/to/inside`)).toBe("x")
    expect(await fs.lstat(`${root}/from`)).toBeUndefined()
  })

  test("unlink removes the link and not its target, and no folder", async () => {
    const file = await put("file", "kept")
    await fs.makeFolder(`${root}/folder`)
    await fs.makeLink(utf8("file"), `${root}/link`)
    await fs.unlink(`${root}/link`)
    expect(await content(file)).toBe("kept")
    expect(await errno(fs.unlink(`${root}/folder`))).toMatch(/^(EISDIR|EPERM)$/)
    expect(await errno(fs.unlink(`${root}/none`))).toBe("ENOENT")
  })

  test("removeFolder removes an empty folder only, and no link to one", async () => {
    await fs.makeFolder(`${root}/full`)
    const inside = await put("full/inside", "x")
    await fs.makeLink(utf8("full"), `${root}/link`)
    expect(await errno(fs.removeFolder(`${root}/full`))).toBe("ENOTEMPTY")
    expect(await errno(fs.removeFolder(`${root}/link`))).toBe("ENOTDIR")
    expect(await errno(fs.removeFolder(inside))).toBe("ENOTDIR")
    await fs.unlink(inside)
    await fs.removeFolder(`${root}/full`)
    expect(await fs.lstat(`${root}/full`)).toBeUndefined()
  })

  test("a folder handle gives addresses that every other call takes", async () => {
    await fs.makeFolder(`${root}/folder`)
    const folder = await fs.openFolder(`${root}/folder`)
    const file = await fs.open(folder.at("file"), "create", 0o600)
    await file.write(utf8("inside"), 0)
    await file.close()
    await fs.makeFolder(folder.at("sub"))
    const sub = await fs.openFolder(folder.at("sub"))
    await fs.linkFile(folder.at("file"), sub.at("linked"))
    await fs.makeLink(utf8("../file"), sub.at("link"))
    await fs.rename(folder.at("file"), sub.at("renamed"))
    expect(await fs.readLink(sub.at("link"))).toEqual(utf8("../file"))
    expect(await content(sub.at("linked"))).toBe("inside")
    expect(await content(`${root}/folder/sub/renamed`)).toBe("inside")
    expect((await fs.list(folder.address))?.map(({ name }) => name)).toEqual(["sub"])
    expect((await fs.list(folder.at("sub")))?.length).toBe(3)
    expect((await fs.lstat(folder.address))?.kind).toBe("folder")
    expect((await fs.lstat(folder.address))?.inode).toBe((await folder.stat()).inode)
    expect(await fs.realPath(folder.address)).toBe(`${root}/folder`)
    await fs.syncFolder(folder.address)
    await fs.chmodFolder(folder.at("sub"), 0o700)
    await fs.unlink(sub.at("linked"))
    await folder.check()
    await sub.check()
    await sub.close()
    await folder.close()
    await folder.close()
  })

  test("a folder handle refuses names that lead elsewhere, and every use after it was closed", async () => {
    const folder = await fs.openFolder(root)
    for (const name of ["", ".", "..", "a/b", "/", "../x", "a\0b"])
      expect(() => folder.at(name)).toThrow(expect.objectContaining({ code: "PATH_UNSAFE" }) as Error)
    await folder.close()
    expect(() => folder.at("name")).toThrow(SnapshotError)
    expect(await errno(folder.stat())).toBe("EBADF")
  })

  test("openFolder refuses a link, a file and what is missing", async () => {
    await put("file", "x")
    await fs.makeFolder(`${root}/folder`)
    await fs.makeLink(utf8("folder"), `${root}/link`)
    expect(await errno(fs.openFolder(`${root}/link`))).toMatch(/^(ENOTDIR|ELOOP)$/)
    expect(await errno(fs.openFolder(`${root}/file`))).toBe("ENOTDIR")
    expect(await errno(fs.openFolder(`${root}/none`))).toBe("ENOENT")
  })

  test("check tells that another folder stands where the held one was", async () => {
    await fs.makeFolder(`${root}/folder`)
    const folder = await fs.openFolder(`${root}/folder`)
    await folder.check()
    await fs.rename(`${root}/folder`, `${root}/away`)
    await expect(folder.check()).rejects.toMatchObject({ code: "PATH_UNSAFE" })
    await fs.makeLink(utf8("away"), `${root}/folder`)
    await expect(folder.check()).rejects.toMatchObject({ code: "PATH_UNSAFE" })
    await fs.unlink(`${root}/folder`)
    await fs.makeFolder(`${root}/folder`)
    await expect(folder.check()).rejects.toMatchObject({ code: "PATH_UNSAFE" })
    await folder.close()
  })

  test("every failure is a SnapshotError with a sentence, the action, the real path and the system's name", async () => {
    await fs.makeFolder(`${root}/folder`)
    const folder = await fs.openFolder(`${root}/folder`)
    const error = await fs.open(folder.at("none"), "read").catch((failure: unknown) => failure)
    await folder.close()
    expect(error).toBeInstanceOf(SnapshotError)
    expect(error).toMatchObject({
      code: "IO_FAILED",
      details: { action: "open the file", path: `${root}/folder/none`, errno: "ENOENT" },
      message: `Could not open the file at ${root}/folder/none: it is not there.`,
    })
  })

  test("a path with a NUL is refused as an error of the port", async () => {
    expect(await errno(fs.lstat(`${root}/a\0b`))).toBe("EINVAL")
    expect(await errno(fs.makeFolder(`${root}/a\0b`))).toBe("EINVAL")
  })

  test("many calls at once each get their own answer", async () => {
    const names = Array.from({ length: 300 }, (_, i) => `f${i}`)
    await Promise.all(names.map((name) => put(name, name)))
    expect(await Promise.all(names.map((name) => content(`${root}/${name}`)))).toEqual(names)
  })
})

describe("a file system on a client", () => {
  test("refuses a link's text that is no UTF-8 instead of changing it", async () => {
    const { fs, root } = onMemory()
    expect(await errno(fs.makeLink(Uint8Array.of(0x61, 0xff), `${root}/link`))).toBe("EILSEQ")
    expect(await fs.lstat(`${root}/link`)).toBeUndefined()
  })

  test("refuses a name that is no UTF-8 instead of changing it", async () => {
    const { fs, root } = onMemory()
    expect(await errno(fs.open(`${root}/a\udcff`, "create"))).toBe("EILSEQ")
    expect(await fs.list(root)).toEqual([])
  })

  test("works where a client knows neither sync nor hard links, moves few bytes a call, and keeps times in milliseconds", async () => {
    const { fs: full } = memfs({ "/root/file": "x" })
    const poor: FileSystemClient = {
      promises: {
        lstat: async (path) => {
          const { mode, size, dev, ino, nlink, mtimeMs, ctimeMs } = await full.promises.lstat(path)
          return { mode, size, dev, ino, nlink, mtimeMs: Number(mtimeMs) + 0.25, ctimeMs } as never
        },
        readdir: (path) => full.promises.readdir(path),
        readlink: (path) => full.promises.readlink(path),
        realpath: (path) => full.promises.realpath(path),
        readFile: (path) => full.promises.readFile(path),
        open: async (path, flags, mode) => {
          const handle = await full.promises.open(path, flags, mode)
          return {
            read: (buffer, offset, length, position) => handle.read(buffer, offset, Math.min(3, length), position),
            write: (buffer, offset, length, position) => handle.write(buffer, offset, Math.min(3, length), position),
            stat: () => handle.stat() as never,
            truncate: handle.truncate.bind(handle),
            chmod: handle.chmod.bind(handle),
            close: handle.close.bind(handle),
          }
        },
        mkdir: (path, options) => full.promises.mkdir(path, options),
        symlink: (target, path) => full.promises.symlink(target, path),
        rename: (from, to) => full.promises.rename(from, to),
        unlink: (path) => full.promises.unlink(path),
        rmdir: (path) => full.promises.rmdir(path),
        chmod: (path, mode) => full.promises.chmod(path, mode),
      },
    }
    const fs = clientFileSystem(poor)
    expect(fs.traits.hardLinks).toBe(false)
    expect(await errno(fs.linkFile("/root/file", "/root/second"))).toBe("ENOTSUP")
    const file = await fs.open("/root/new", "create", 0o600)
    await file.write(utf8("more than three"), 0)
    await file.sync()
    const buffer = new Uint8Array(20)
    expect(await file.read(buffer, 5)).toBe(10)
    expect(buffer.subarray(0, 10)).toEqual(utf8("than three"))
    await file.close()
    expect((await fs.lstat("/root/new"))?.mtimeNs).toSatisfy((ns: bigint) => ns % 1_000_000n === 250_000n)
    await fs.makeLink(utf8("new"), "/root/link")
    expect(await fs.readLink("/root/link")).toEqual(utf8("new"))
  })
})

function onMemory(): { readonly fs: FileSystem; readonly root: string } {
  return { fs: clientFileSystem(memfs({ "/root": null }).fs), root: "/root" }
}

async function errno(call: Promise<unknown>): Promise<string | undefined> {
  const error = await call.then(
    () => "nothing failed",
    (failure: unknown) => failure,
  )
  return error instanceof SnapshotError ? errnoOf(error) : String(error)
}

function openDescriptors(): number {
  return process.platform === "linux" ? nodeFs.readdirSync("/proc/self/fd").length : 0
}
