import fs from "node:fs"
import { join } from "node:path"
import fc from "fast-check"
import { describe, expect, test } from "vitest"
import { nodeDisk, updateFolder, writeFolder } from "../support/disk.js"
import { git, gitIsThere } from "../support/git.js"
import { applyEdits, randomEdits, randomFolder } from "../support/random-folder.js"
import { byteText } from "../support/random-names.js"
import { expectWhole, seededRepository, type SeededRepository } from "../support/seeded-repository.js"

/** A repository with `count` committed files in some folders. */
async function committed(count = 12): Promise<SeededRepository> {
  const place = await seededRepository()
  for (let i = 0; i < count; i++) place.write(`d${i % 3}/f${i}`, `content ${i}\n`.repeat(20 + i))
  place.commit()
  return place
}

/** Writes all files once more, so that their times are later than those of `path`. */
function writeLater(place: SeededRepository, path: string): void {
  const ctimeNs = (of: string): bigint => fs.statSync(join(place.root, of), { bigint: true }).ctimeNs
  do fs.writeFileSync(join(place.root, ".git/probe"), "")
  while (ctimeNs(".git/probe") <= ctimeNs(path))
  for (let i = 0; i < 12; i++) place.write(`d${i % 3}/f${i}`, `content ${i}\n`.repeat(20 + i))
  // Git may compare seconds only, and would keep the times of before.
  fs.rmSync(join(place.root, ".git/index"))
}

/** Writes other content of the same size, with the times of before as far as they can be set. */
function rewrite(place: SeededRepository, path: string): void {
  const file = join(place.root, path)
  const { mtime, atime } = fs.statSync(file)
  fs.writeFileSync(
    file,
    fs.readFileSync(file).map((byte) => byte ^ 1),
  )
  fs.utimesSync(file, atime, mtime)
}

describe.runIf(gitIsThere())("a first capture with a seed is that of one without, and reads", () => {
  test("nothing of a clean work tree", async () => {
    const place = await committed()
    place.write("run", "#!/bin/sh\n", 0o755)
    fs.symlinkSync("d0/f0", join(place.root, "link"))
    place.commit()
    const { stats } = await place.captured()
    expect(stats).toMatchObject({ filesScanned: 14, filesRead: 0, bytesRead: 0 })
  })

  test.each<[string, number, (place: SeededRepository) => void]>([
    [
      "what was edited with size and mtime kept",
      2,
      (place) => ["d0/f0", "d1/f1"].forEach((path) => rewrite(place, path)),
    ],
    ["untracked files", 2, (place) => ["new", "d0/new"].forEach((path) => place.write(path, "new"))],
    [
      "what is staged and not stored in a pack",
      1,
      (place) => {
        place.write("d0/f0", "staged")
        place.git("add", "-A")
        place.ageIndex()
      },
    ],
    [
      "assume-valid entries, changed or not",
      2,
      (place) => {
        place.git("update-index", "--assume-unchanged", "d0/f0", "d0/f3")
        rewrite(place, "d0/f0")
        place.ageIndex()
      },
    ],
    [
      "skip-worktree entries that are there",
      2,
      (place) => {
        place.git("update-index", "--skip-worktree", "d0/f0", "d0/f3")
        rewrite(place, "d0/f0")
        place.ageIndex()
      },
    ],
    [
      "entries that are only intended",
      1,
      (place) => {
        place.write("later", "")
        place.git("add", "--intent-to-add", "later")
        place.ageIndex()
      },
    ],
    [
      "entries of an unsettled merge",
      1,
      (place) => {
        const oid = place.git("rev-parse", "HEAD:d0/f0").trim()
        place.git("update-index", "--force-remove", "d0/f0")
        git(["update-index", "--index-info"], {
          cwd: place.root,
          input: [1, 2, 3].map((n) => `100644 ${oid} ${n}\td0/f0\n`).join(""),
        })
        place.ageIndex()
      },
    ],
    ["what only its executable bit tells apart", 1, (place) => fs.chmodSync(join(place.root, "d0/f0"), 0o755)],
    ["what was deleted, and nothing else", 0, (place) => fs.rmSync(join(place.root, "d0"), { recursive: true })],
    [
      "a link where a file was, and a file where a folder was",
      1,
      (place) => {
        fs.rmSync(join(place.root, "d0"), { recursive: true })
        fs.rmSync(join(place.root, "d1/f1"))
        place.write("d0", "a file")
        fs.symlinkSync("../d2", join(place.root, "d1/f1"))
      },
    ],
    [
      "what is as young as the index",
      12,
      (place) => {
        const index = join(place.root, ".git/index")
        const { mtimeMs } = fs.statSync(join(place.root, "d0/f0"))
        fs.utimesSync(index, mtimeMs / 1000, mtimeMs / 1000)
      },
    ],
    [
      "everything with an index of a time to come",
      12,
      (place) => fs.utimesSync(join(place.root, ".git/index"), 4e9, 4e9),
    ],
    ["everything with line ends to convert", 12, (place) => void place.git("config", "core.autocrlf", "input")],
    [
      "everything in a repository without packs",
      12,
      (place) => {
        const packs = join(place.root, ".git/objects/pack")
        for (const name of fs.readdirSync(packs)) {
          fs.chmodSync(join(packs, name), 0o644)
          fs.renameSync(join(packs, name), join(place.scratch, name))
          if (name.endsWith(".pack"))
            git(["unpack-objects", "-q"], { cwd: place.root, input: fs.readFileSync(join(place.scratch, name)) })
        }
      },
    ],
  ])("%s", async (_, read, change) => {
    const place = await committed()
    change(place)
    expect((await place.captured()).stats.filesRead).toBe(read)
  })

  test.each([2, 3, 4])("nothing with an index of version %i, split or whole", async (version) => {
    const place = await committed()
    if (version === 3) {
      place.write("later", "later")
      place.git("add", "--intent-to-add", "later")
    }
    place.git("update-index", "--index-version", String(version))
    place.ageIndex()
    expect((await place.captured()).stats.filesRead).toBe(version === 3 ? 1 : 0)
    place.git("update-index", "--split-index")
    place.ageIndex()
    expect((await place.captured()).stats.filesRead).toBe(version === 3 ? 1 : 0)
  })

  test("nothing with an index without a checksum", async () => {
    const place = await committed()
    const index = join(place.root, ".git/index")
    fs.writeFileSync(index, Buffer.concat([fs.readFileSync(index).subarray(0, -20), Buffer.alloc(20)]))
    place.ageIndex()
    expect((await place.captured()).stats.filesRead).toBe(0)
  })

  test("what a sparse checkout left, and what was put where it left nothing", async () => {
    const place = await committed()
    place.git("sparse-checkout", "set", "--cone", "--sparse-index", "d0")
    place.ageIndex()
    expect((await place.captured()).stats).toMatchObject({ filesScanned: 4, filesRead: 0 })
    place.write("d1/f1", "mine")
    expect((await place.captured()).stats).toMatchObject({ filesScanned: 5, filesRead: 1 })
  })

  test("the files of submodules and repositories inside, and nothing else", async () => {
    const place = await committed()
    const other = await committed(3)
    place.git("-c", "protocol.file.allow=always", "submodule", "--quiet", "add", other.root, "module")
    place.commit()
    place.write("inside/file", "one")
    git(["init", "-q"], { cwd: join(place.root, "inside") })
    expect((await place.captured()).stats.filesRead).toBe(3 + 1)
    // In the submodule, its own repository is the seed.
    place.ageIndex(join(place.root, ".git/modules/module"))
    git(["repack", "-adq"], { cwd: join(place.root, "module") })
    expect((await place.captured(join(place.root, "module"))).stats.filesRead).toBe(0)
  })

  test("nothing of a linked work tree, of a folder inside, and of a clone with alternates", async () => {
    const place = await committed()
    const linked = join(place.scratch, "linked")
    place.git("worktree", "add", "--quiet", linked, "-b", "other")
    place.ageIndex(join(place.root, ".git/worktrees/linked"))
    expect((await place.captured(linked)).stats).toMatchObject({ filesScanned: 12, filesRead: 0 })
    expect((await place.captured(join(place.root, "d1"))).stats).toMatchObject({ filesScanned: 4, filesRead: 0 })
    const clone = join(place.scratch, "clone")
    git(["clone", "--quiet", "--shared", place.root, clone])
    place.ageIndex(join(clone, ".git"))
    expect((await place.captured(clone)).stats).toMatchObject({ filesScanned: 12, filesRead: 0 })
  })

  test("nothing of a partial clone, which holds what it checked out", async () => {
    const place = await committed()
    place.write("d0/f0", "later")
    place.commit()
    place.git("config", "uploadpack.allowFilter", "true")
    const clone = join(place.scratch, "clone")
    git(["clone", "--quiet", "--no-local", "--filter=blob:none", `file://${place.root}`, clone])
    place.ageIndex(join(clone, ".git"))
    expect((await place.captured(clone)).stats).toMatchObject({ filesScanned: 12, filesRead: 0 })
  })

  test("deltas of both kinds, long ones and those whose base no file has", async () => {
    const place = await seededRepository()
    const lines = Array.from({ length: 4000 }, (_, i) => `line ${i} ${(i * 7919) % 10007}\n`)
    for (let i = 0; i < 8; i++) place.write(`f${i}`, lines.toSpliced(100 * i, 1, "another\n").join(""))
    place.commit()
    for (let i = 0; i < 8; i++) place.write(`f${i}`, lines.toSpliced(100 * i, 2, "one more\n").join(""))
    place.commit()
    for (const option of ["true", "false"]) {
      git(["-c", `repack.useDeltaBaseOffset=${option}`, "repack", "-adfq"], { cwd: place.root })
      expect((await place.captured()).stats.filesRead).toBe(0)
    }
  })
})

describe.runIf(gitIsThere())("attributes by which Git may store other bytes than a file holds", () => {
  const rot13 = `tr "a-zA-Z" "n-za-mN-ZA-M"`

  test.each<[string, number, string, string]>([
    ["a filter", 4, ".gitattributes", "d0/* filter=rot13\n"],
    ["a filter in a folder", 4, "d0/.gitattributes", "f* filter=rot13\n"],
    ["ident", 1, ".gitattributes", "f1 ident\n"],
    ["text, taken back for some", 12, ".gitattributes", "* text=auto\nd0/* -text\n"],
    ["eol by a macro", 4, ".gitattributes", "[attr]odd eol=crlf\nd1/* odd\n"],
    ["an encoding by a quoted pattern", 12, ".gitattributes", '"d1/f1" working-tree-encoding=ISO-8859-1\n'],
    ["none that converts", 0, ".gitattributes", "* -text diff=js !eol\n*.png binary\n"],
    ["none, of the repository alone", 4, ".git/info/attributes", "d2/f* filter=rot13\n"],
  ])("are told by files: %s", async (_, read, path, text) => {
    const place = await committed()
    // Their content is what it was: only then can the oid be wrong with the right size.
    place.git("config", "filter.rot13.clean", rot13)
    place.git("config", "filter.rot13.smudge", rot13)
    fs.writeFileSync(join(place.root, path), text)
    writeLater(place, path)
    place.commit()
    // A file of attributes is not older than itself.
    const own = path.startsWith(".git/") ? 0 : 1
    expect((await place.captured()).stats.filesRead).toBe(read + own)
  })

  test("that came after a file, or went from the work tree alone, leave nothing to count on", async () => {
    const place = await committed()
    place.git("config", "filter.rot13.clean", rot13)
    place.write(".gitattributes", "*.x filter=rot13\n")
    place.commit()
    expect((await place.captured()).stats.filesRead).toBe(13)
    writeLater(place, ".gitattributes")
    place.commit()
    // The file of attributes is not older than itself.
    expect((await place.captured()).stats.filesRead).toBe(1)
    fs.rmSync(join(place.root, ".gitattributes"))
    expect((await place.captured()).stats.filesRead).toBe(12)
  })

  test("that were there when Git read the file: its filtered content is never taken", async () => {
    const place = await seededRepository()
    place.git("config", "filter.rot13.clean", rot13)
    place.write(".gitattributes", "secret filter=rot13\n")
    place.write("secret", "abc\n")
    place.commit()
    expect(place.git("cat-file", "-p", "HEAD:secret")).toBe("nop\n")
    await place.captured()
    place.write(".gitattributes", "# none\n")
    place.git("add", ".gitattributes")
    place.ageIndex()
    expect(place.git("status", "--porcelain", "secret")).toBe("")
    await place.captured()
  })
})

test.runIf(gitIsThere())(
  "whatever a work tree holds, and however it was edited since, a seed changes nothing of its snapshot",
  async () => {
    const shape = { maxItems: 6, specials: true, unsafe: true, ignoreFiles: true, repositories: true } as const
    await fc.assert(
      fc.asyncProperty(randomFolder(shape), randomEdits(shape, 4), fc.boolean(), async (folder, edits, all) => {
        const place = await seededRepository()
        const at = byteText(join(place.root, "in"))
        writeFolder(nodeDisk, at, folder)
        git(["add", all ? "-A" : "-Af"], { cwd: place.root, anyStatus: true })
        git(["commit", "-qm", "all", "--allow-empty"], { cwd: place.root })
        git(["repack", "-adq"], { cwd: place.root })
        place.ageIndex()
        await place.captured()
        updateFolder(nodeDisk, at, folder, applyEdits(folder, edits))
        await place.captured()
        fs.rmSync(join(place.root, ".git"), { recursive: true })
        expectWhole(join(place.scratch, "seeded-0"))
        expectWhole(join(place.scratch, "seeded-1"))
      }),
      { numRuns: 8 },
    )
  },
)
