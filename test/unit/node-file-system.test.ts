import { spawnSync } from "node:child_process"
import nodeFs from "node:fs"
import net from "node:net"
import { describe, expect, onTestFinished, test } from "vitest"
import { equalBytes, utf8 } from "../../src/core/bytes.js"
import { errnoOf, SnapshotError } from "../../src/core/errors.js"
import { decodeName } from "../../src/core/path.js"
import { ioError } from "../../src/platform/io-error.js"
import { nodeFileSystem } from "../../src/platform/node/node-file-system.js"
import { temporaryFolder } from "../support/temporary-folder.js"

/* What only Linux has: fifos by mkfifo, /proc, handles that hold folders, names of any bytes. */

const fs = nodeFileSystem()

describe("what is no file", () => {
  test("a fifo, a socket and a device are refused at once, and opening never waits", async () => {
    const root = await temporaryFolder()
    spawnSync("mkfifo", [`${root}/fifo`])
    const server = net.createServer().listen(`${root}/socket`)
    onTestFinished(() => void server.close())
    await new Promise((resolve) => server.once("listening", resolve))
    expect((await fs.list(root))?.map(({ kind }) => kind)).toEqual(["special", "special"])
    for (const path of [`${root}/fifo`, `${root}/socket`, "/dev/zero"]) {
      expect((await fs.lstat(path))?.kind).toBe("special")
      expect(await errno(fs.open(path, "read"))).toBe("ENXIO")
      expect(await errno(fs.open(path, "update"))).toBe("ENXIO")
      expect(await errno(fs.readFile(path))).toBe("ENXIO")
    }
  })

  test("a fifo behind a link, where a file is to be read, does not block either", async () => {
    const root = await temporaryFolder()
    spawnSync("mkfifo", [`${root}/fifo`])
    await fs.makeLink(utf8("fifo"), `${root}/link`)
    expect(await errno(fs.readFile(`${root}/link`))).toBe("ENXIO")
  })

  test("an empty device reads as an empty file", async () => {
    expect(await fs.readFile("/dev/null")).toEqual(new Uint8Array(0))
  })

  test("a file that reports no size is read to its end", async () => {
    const bytes = await fs.readFile("/proc/self/status")
    expect(new TextDecoder().decode(bytes)).toContain(`Pid:\t${process.pid}`)
  })
})

describe("folder handles", () => {
  test("addresses stay in the folder when its path is swapped for a link to another", async () => {
    const root = await temporaryFolder()
    for (const name of ["inside", "outside"]) {
      nodeFs.mkdirSync(`${root}/${name}`)
      nodeFs.writeFileSync(`${root}/${name}/file`, name)
    }
    expect(fs.traits.folderHandles).toBe(true)
    const folder = await fs.openFolder(`${root}/inside`)
    nodeFs.renameSync(`${root}/inside`, `${root}/moved`)
    nodeFs.symlinkSync("outside", `${root}/inside`)
    expect(await fs.readFile(folder.at("file"))).toEqual(utf8("inside"))
    const file = await fs.open(folder.at("new"), "create")
    await file.close()
    await fs.rename(folder.at("file"), folder.at("renamed"))
    await fs.unlink(folder.at("new"))
    await fs.makeLink(utf8("x"), folder.at("link"))
    expect((await fs.list(folder.address))?.map(({ name }) => name).toSorted()).toEqual(["link", "renamed"])
    expect(nodeFs.readdirSync(`${root}/outside`)).toEqual(["file"])
    await folder.close()
  })

  test("a folder in a held folder is not entered when a link was swapped in", async () => {
    const root = await temporaryFolder()
    nodeFs.mkdirSync(`${root}/outside`)
    const folder = await fs.openFolder(root)
    nodeFs.symlinkSync("outside", `${root}/sub`)
    expect(await errno(fs.openFolder(folder.at("sub")))).toMatch(/^(ENOTDIR|ELOOP)$/)
    expect(await errno(fs.list(folder.at("sub")))).toBe("ENOTDIR")
    expect(await errno(fs.open(folder.at("sub"), "read"))).toBe("ELOOP")
    await folder.close()
  })

  test("errors name the path that people know, not the descriptor", async () => {
    const root = await temporaryFolder()
    nodeFs.mkdirSync(`${root}/a/b`, { recursive: true })
    const outer = await fs.openFolder(`${root}/a`)
    const inner = await fs.openFolder(outer.at("b"))
    await outer.close()
    const error = await fs.unlink(inner.at("none")).catch((failure: unknown) => failure)
    expect(error).toMatchObject({ details: { path: `${root}/a/b/none`, errno: "ENOENT" } })
    expect(String(error)).not.toContain("/proc/")
    await expect(fs.list(inner.address)).resolves.toEqual([])
    await inner.close()
  })

  test("the file system's root can be held", async () => {
    const folder = await fs.openFolder("/")
    expect((await fs.list(folder.address))?.length).toBeGreaterThan(0)
    const error = await fs.unlink(folder.at("none-of-this-name")).catch((failure: unknown) => failure)
    expect(error).toMatchObject({ details: { path: "/none-of-this-name" } })
    await folder.check()
    await folder.close()
  })
})

describe("names that are no UTF-8", () => {
  const odd = Buffer.from([0x61, 0xff, 0x80, 0xc3, 0xa9, 0xed, 0xa0, 0x80])

  test("are listed beside others, and every call takes them back", async () => {
    const root = await temporaryFolder()
    nodeFs.writeFileSync(Buffer.concat([Buffer.from(`${root}/`), odd]), "odd")
    nodeFs.writeFileSync(`${root}/real \uFFFD`, "real")
    const names = (await fs.list(root))?.map(({ name }) => name).toSorted()
    expect(names).toEqual([decodeName(odd), "real \uFFFD"].toSorted())
    const path = `${root}/${decodeName(odd)}`
    expect(await fs.lstat(path)).toMatchObject({ kind: "file", sizeBytes: 3 })
    expect(await fs.readFile(path)).toEqual(utf8("odd"))
    await fs.rename(path, `${root}/plain`)
    await fs.linkFile(`${root}/plain`, path)
    await fs.unlink(`${root}/plain`)
    expect(nodeFs.readdirSync(root, { encoding: "buffer" }).some((name) => name.equals(odd))).toBe(true)
    const folder = await fs.openFolder(root)
    expect(await fs.readFile(folder.at(decodeName(odd)))).toEqual(utf8("odd"))
    await folder.close()
  })

  test("may be those of folders, also on the way and in a real path", async () => {
    const root = await temporaryFolder()
    const path = `${root}/${decodeName(odd)}`
    await fs.makeFolder(path)
    await (await fs.open(`${path}/file`, "create")).close()
    expect(await fs.list(path)).toEqual([{ name: "file", kind: "file" }])
    expect(await fs.realPath(`${path}/../${decodeName(odd)}/file`)).toBe(`${path}/file`)
  })

  test("may be the text of a link", async () => {
    const root = await temporaryFolder()
    await fs.makeLink(odd, `${root}/link`)
    expect(equalBytes((await fs.readLink(`${root}/link`)) ?? new Uint8Array(0), odd)).toBe(true)
    expect(nodeFs.readlinkSync(`${root}/link`, { encoding: "buffer" })).toEqual(odd)
  })
})

describe("permissions", () => {
  test("are those that were asked for, whatever the mask is", async () => {
    const root = await temporaryFolder()
    const mask = process.umask(0o077)
    onTestFinished(() => void process.umask(mask))
    await (await fs.open(`${root}/file`, "create", 0o666)).close()
    await (await fs.open(`${root}/masked`, "create")).close()
    await fs.makeFolder(`${root}/folder`, 0o777)
    await fs.makeFolder(`${root}/closed`, 0o311)
    await fs.makeFolder(`${root}/masked-folder`)
    const permissions = async (name: string) => (await fs.lstat(`${root}/${name}`))?.permissions
    expect(await permissions("file")).toBe(0o666)
    expect(await permissions("masked")).toBe(0o600)
    expect(await permissions("folder")).toBe(0o777)
    expect(await permissions("closed")).toBe(0o311)
    expect(await permissions("masked-folder")).toBe(0o700)
  })
})

describe("failures", () => {
  test("a full disk is NO_SPACE, with advice", async () => {
    for (const errno of ["ENOSPC", "EDQUOT", "EFBIG"]) {
      const error = ioError("write the file", "/x", Object.assign(new Error("no"), { code: errno }))
      expect(error).toMatchObject({ code: "NO_SPACE", details: { action: "write the file", path: "/x", errno } })
    }
    expect(ioError("write the file", "/x", { code: "ENOSPC" }).message).toBe(
      "Could not write the file at /x: no space is left on the device. Free some space and try again.",
    )
  })

  test("a write that the system refuses for lack of room rejects with NO_SPACE", async () => {
    const root = await temporaryFolder()
    const file = await fs.open(`${root}/file`, "create")
    // Beyond the largest size that any file system here takes.
    await expect(file.write(utf8("x"), Number.MAX_SAFE_INTEGER)).rejects.toMatchObject({ code: "NO_SPACE" })
    await file.close()
  })

  test("a name that is too long, a circle of links and a path with a NUL have their own names", async () => {
    const root = await temporaryFolder()
    nodeFs.symlinkSync("loop", `${root}/loop`)
    expect(await fs.lstat(`${root}/${"x".repeat(300)}`)).toBeUndefined()
    expect(await errno(fs.open(`${root}/${"x".repeat(300)}`, "create"))).toBe("ENAMETOOLONG")
    expect(await errno(fs.readFile(`${root}/loop`))).toBe("ELOOP")
    expect(await errno(fs.realPath(`${root}/loop`))).toBe("ELOOP")
    expect(await errno(fs.lstat(`${root}/loop/x`))).toBe("ELOOP")
    expect(await errno(fs.readFile("a\0b"))).toBe("EINVAL")
  })

  test("an unknown failure keeps the system's words and the cause", () => {
    const cause = new Error("something odd happened.")
    const error = ioError("list the folder", "/a\nb", cause)
    expect(error.message).toBe("Could not list the folder at /a\\nb: something odd happened.")
    expect(error).toMatchObject({ code: "IO_FAILED", cause, details: { path: "/a\nb", errno: "UNKNOWN" } })
  })

  test("a failed create leaves no file and no descriptor behind, as every other failed call", async () => {
    const root = await temporaryFolder()
    nodeFs.mkdirSync(`${root}/folder`)
    nodeFs.symlinkSync("folder", `${root}/link`)
    const before = descriptors()
    for (let i = 0; i < 20; i++) {
      await errno(fs.open(`${root}/folder`, "read"))
      await errno(fs.open(`${root}/link`, "read"))
      await errno(fs.open(`${root}/folder`, "create"))
      await errno(fs.readFile(`${root}/folder`))
      await errno(fs.list(`${root}/link`))
      await errno(fs.openFolder(`${root}/link`))
      await errno(fs.chmodFolder(`${root}/link`, 0o700))
      await fs.list(`${root}/folder`)
      await fs.syncFolder(`${root}/folder`)
      const folder = await fs.openFolder(root)
      await folder.close()
    }
    expect(descriptors()).toBe(before)
    expect(nodeFs.readdirSync(root).toSorted()).toEqual(["folder", "link"])
  })
})

async function errno(call: Promise<unknown>): Promise<string | undefined> {
  const error = await call.then(
    () => "nothing failed",
    (failure: unknown) => failure,
  )
  return error instanceof SnapshotError ? errnoOf(error) : String(error)
}

function descriptors(): number {
  return nodeFs.readdirSync("/proc/self/fd").length
}
