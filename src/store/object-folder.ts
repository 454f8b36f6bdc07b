import pLimit from "p-limit"
import { errnoOf } from "../core/errors.js"
import type { GitObject } from "../core/object.js"
import { toOid, type Oid } from "../core/oid.js"
import { hasLoose, loosePath, readLoose, streamLoose } from "./loose-object.js"
import type { PackPorts } from "./pack-entries.js"
import { PackShelf, type ShelvedPack } from "./pack-shelf.js"
import type { TakeEntry } from "./short-entries.js"
import type { ObjectStream } from "./stored-object.js"

/** A place where an object is, or may be. */
export interface ObjectCopy {
  /** Of the pack or of the loose object. */
  readonly path: string
  read(): Promise<GitObject | undefined>
  stream(): Promise<ObjectStream | undefined>
  /** To be told that this copy was good. */
  hit(): void
}

/** One objects folder: its packs and its loose objects. */
export class ObjectFolder {
  readonly path: string
  readonly #ports: PackPorts
  readonly #shelf: PackShelf

  constructor(ports: PackPorts, path: string) {
    this.#ports = ports
    this.path = path
    this.#shelf = new PackShelf(ports, `${path}/pack`)
  }

  /** Packs that are not used, since their files are not what they should be. */
  get setAside(): readonly string[] {
    return this.#shelf.packs.filter((pack) => pack.setAside).map((pack) => pack.path)
  }

  /** Sees what has been added, replaced and removed since. */
  rescan(): Promise<void> {
    return this.#shelf.rescan()
  }

  /** The copies of an object: in packs, then the loose one, which may not be there. What keeps a pack from being opened goes to `failed`. */
  async *copies(oid: Oid, failed: (error: unknown) => void): AsyncGenerator<ObjectCopy> {
    for (const shelved of this.#shelf.packs) {
      const pack = shelved.opened ?? (await this.#open(shelved, failed))
      if (pack?.index.find(oid) === undefined) continue
      yield {
        path: `${shelved.path}.pack`,
        read: () => pack.read(oid),
        stream: () => pack.stream(oid),
        hit: () => this.#shelf.hit(shelved),
      }
    }
    const path = loosePath(this.path, oid)
    const { limitBytes } = this.#ports
    yield {
      path,
      read: () => readLoose(this.#ports, path, oid, limitBytes),
      stream: () => streamLoose(this.#ports, path, oid, limitBytes),
      hit: () => {},
    }
  }

  /**
   * Gives `take` those of `oids` that packs hold as whole, short entries, until it says no; it may take an oid out of
   * `oids`. Never throws.
   */
  async readShort(oids: ReadonlySet<Oid>, take: TakeEntry): Promise<void> {
    for (const shelved of this.#shelf.packs) {
      if (oids.size === 0) return
      try {
        const pack = shelved.opened ?? (await this.#open(shelved, () => {}))
        await pack?.readShort(oids, take)
      } catch {
        // Whoever asks for one of these objects by itself is told what is wrong.
      }
    }
  }

  /**
   * Calls `found` with the path of each copy of one of `oids` that is there; many at once cost little more than one.
   * `found` may take the oid out of `oids`: it is not looked for any further.
   */
  async locate(
    oids: ReadonlySet<Oid>,
    found: (oid: Oid, path: string) => void,
    failed: (error: unknown) => void,
  ): Promise<void> {
    const atOnce = pLimit(CALLS_AT_ONCE)
    await atOnce.map(this.#shelf.packs, async (shelved) => {
      const pack = shelved.opened ?? (await this.#open(shelved, failed))
      if (pack === undefined) return
      const path = `${shelved.path}.pack`
      if (pack.index.count < oids.size) {
        for (const { oid } of pack.index.entries()) if (oids.has(oid)) found(oid, path)
      } else {
        for (const oid of oids) if (pack.index.find(oid) !== undefined) found(oid, path)
      }
    })
    const loose = (await this.#looseWith(new Set(Array.from(oids, (oid) => oid.slice(0, 2))))).filter((oid) =>
      oids.has(oid),
    )
    await atOnce.map(loose, async (oid) => {
      const path = loosePath(this.path, oid)
      if (await hasLoose(this.#ports, path)) found(oid, path)
    })
  }

  /** The oids that begin with `prefix`, 1 to 40 lowercase hex digits; some may come twice. */
  async withPrefix(prefix: string, failed: (error: unknown) => void): Promise<Oid[]> {
    const found: Oid[] = []
    for (const shelved of this.#shelf.packs) {
      const pack = shelved.opened ?? (await this.#open(shelved, failed))
      for (const oid of pack?.index.withPrefix(prefix) ?? []) found.push(oid)
    }
    const digits = prefix.length > 1 ? [prefix.slice(0, 2)] : Array.from("0123456789abcdef", (digit) => prefix + digit)
    for (const oid of await this.#looseWith(new Set(digits))) if (oid.startsWith(prefix)) found.push(oid)
    return found
  }

  async #open(shelved: ShelvedPack, failed: (error: unknown) => void): Promise<ShelvedPack["opened"]> {
    try {
      const pack = await shelved.open()
      if (shelved.unsupported !== undefined) failed(shelved.unsupported)
      return pack
    } catch (error) {
      failed(error)
      return undefined
    }
  }

  /** The loose objects whose oids begin with one of these pairs of digits. */
  async #looseWith(digits: ReadonlySet<string>): Promise<Oid[]> {
    const { fileSystem } = this.#ports
    const there = digits.size < FEW_FOLDERS ? digits : await this.#folders(digits)
    const found: Oid[] = []
    for (const folder of there) {
      for (const item of (await this.#ifFolder(fileSystem.list(`${this.path}/${folder}`))) ?? []) {
        const oid = toOid(folder + item.name)
        if (oid !== undefined) found.push(oid)
      }
    }
    return found
  }

  async #folders(digits: ReadonlySet<string>): Promise<string[]> {
    const items = (await this.#ifFolder(this.#ports.fileSystem.list(this.path))) ?? []
    return items.map((item) => item.name).filter((name) => digits.has(name))
  }

  /** A file where a folder should be holds no objects. */
  async #ifFolder<T>(listing: Promise<T>): Promise<T | undefined> {
    try {
      return await listing
    } catch (error) {
      if (errnoOf(error) === "ENOTDIR") return undefined
      throw error
    }
  }
}

const CALLS_AT_ONCE = 8
/** Up to here it costs less to look for each folder than to list all. */
const FEW_FOLDERS = 4
