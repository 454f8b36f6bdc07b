import { randomBytes } from "node:crypto"
import fs from "node:fs"
import { join } from "node:path"
import { describe, expect, test } from "vitest"
import type { Oid } from "../../src/core/oid.js"
import { nodePlatform } from "../../src/platform/node/node-platform.js"
import { layoutOf } from "../../src/store/gitdir.js"
import { objectDatabase } from "../../src/store/object-database.js"
import { takeOver, type TakenOver, type TakeOverRequest } from "../../src/store/take-over.js"
import { git, gitIsThere } from "../support/git.js"
import { temporaryFolder } from "../support/temporary-folder.js"

const LEASE = "a".repeat(32)

describe.runIf(gitIsThere())("taking over what another repository lends", () => {
  test("leaves what is in packs of the store", async () => {
    const { own, take } = await lent(4)
    own(`pack-${"1".repeat(40)}`)
    expect(await take()).toEqual({ objects: 0, bytesWritten: 0 })
  })

  test("does not count on a pack that is not used, since its index does not go with it", async () => {
    const { own, take } = await lent(4)
    const pack = own(`pack-${"1".repeat(40)}`)
    fs.chmodSync(pack, 0o644)
    fs.truncateSync(pack, fs.statSync(pack).size - 1)
    expect(await take()).toMatchObject({ objects: 4 })
  })

  test("does not count on a pack that a running capture may still take back", async () => {
    const { own, take } = await lent(4)
    own(`pack-${LEASE}01234567`)
    expect(await take({ leases: new Map([[LEASE, undefined]]) })).toMatchObject({ objects: 4 })
    expect(await take({ leases: new Map([[LEASE, undefined]]) })).toMatchObject({ objects: 0 })
  })

  test("that is ended early keeps what it has come to, and the next one goes on from there", async () => {
    const { take, packs } = await lent(8)
    const abort = new AbortController()
    const onTaken = (bytes: number): void => {
      if (bytes >= 5000) abort.abort()
    }
    await expect(take({ packBytes: 2000, signal: abort.signal, onTaken })).rejects.toThrow()
    expect(packs()).toHaveLength(2)
    expect(await take({ packBytes: 2000 })).toMatchObject({ objects: 4 })
    expect(packs()).toHaveLength(4)
    expect(await take()).toMatchObject({ objects: 0 })
  })
})

interface Lent {
  /** Puts a pack with all of the objects into the store; gives its path. */
  readonly own: (name: string) => string
  readonly take: (options?: Partial<TakeOverRequest>) => Promise<TakenOver>
  readonly packs: () => string[]
}

/** A store that counts on so many objects of another repository, of 1,000 bytes each, and has none of them. */
async function lent(count: number): Promise<Lent> {
  const folder = await temporaryFolder()
  const [lender, gitdir] = [join(folder, "lender.git"), join(folder, "store.git")]
  for (const each of [lender, gitdir]) git(["init", "-q", "--bare", each])
  const layout = layoutOf(gitdir)
  fs.mkdirSync(layout.temporary)
  fs.mkdirSync(join(layout.objects, "info"), { recursive: true })
  fs.writeFileSync(join(layout.objects, "info/alternates"), `${lender}/objects\n`)
  const oids = Array.from({ length: count }, () =>
    git(["hash-object", "-w", "--stdin"], { cwd: lender, input: randomBytes(1000) }).text.trim(),
  )
  const { fileSystem, hasher, deflater } = await nodePlatform()
  return {
    own(name) {
      const made = git(["pack-objects", join(folder, "packed")], { cwd: lender, input: oids.join("\n") }).text.trim()
      for (const extension of ["pack", "idx"])
        fs.renameSync(join(folder, `packed-${made}.${extension}`), join(layout.packs, `${name}.${extension}`))
      return join(layout.packs, `${name}.pack`)
    },
    async take(options = {}) {
      const objects = objectDatabase({ fileSystem, hasher, deflater, objectsFolder: layout.objects })
      const reached = new Set(oids as Oid[])
      const request = { fileSystem, hasher, deflater, layout, objects, reached, loose: [], leases: new Map() }
      try {
        return await takeOver({ ...request, ...options })
      } finally {
        await objects.close()
      }
    },
    packs: () => fs.readdirSync(layout.packs).filter((name) => name.endsWith(".pack")),
  }
}
