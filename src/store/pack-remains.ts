import { encodePackIndex, parsePackIndex, type PackIndex } from "../core/pack-index.js"
import type { PackState } from "./audit-pack.js"
import { DeltaBases } from "./delta-bases.js"
import { OpenFiles } from "./open-files.js"
import type { PackPorts } from "./pack-entries.js"
import { openByIndex, type PackFile } from "./pack-file.js"
import { scanPack } from "./scan-pack.js"
import type { ObjectPorts } from "./stored-object.js"

/** What can still be had of packs that are damaged. To be closed. */
export class PackRemains {
  readonly #ports: PackPorts
  readonly #indexes = new Map<string, Promise<PackIndex | undefined>>()

  constructor(ports: ObjectPorts) {
    const openFiles = new OpenFiles(ports.fileSystem, OPEN_FILES)
    this.#ports = { ...ports, openFiles, bases: new DeltaBases(BASES_BYTES), limitBytes: LIMIT_BYTES }
  }

  /**
   * What is, or was, in a pack: its index, or else one that is made of what the pack itself holds. Undefined when there is
   * neither.
   */
  index(state: PackState, signal?: AbortSignal): Promise<PackIndex | undefined> {
    const known = this.#indexes.get(state.path) ?? this.#index(state, signal)
    this.#indexes.set(state.path, known)
    return known
  }

  /** The pack, object by object; undefined when there is no pack, or the system does not read it. */
  async open(state: PackState, signal?: AbortSignal): Promise<PackFile | undefined> {
    if (!isThere(state)) return undefined
    const index = await this.index(state, signal)
    return index && openByIndex(this.#ports, state.path, index)
  }

  /** The bytes of an index for a pack that has lost its own; undefined unless all of the pack is as it should be. */
  async newIndex(state: PackState, signal?: AbortSignal): Promise<Uint8Array | undefined> {
    if (!isThere(state) || state.parsed !== undefined) return undefined
    const { entries, checksum, isWhole } = await scanPack(this.#ports, state.path, signal)
    return isWhole ? encodePackIndex(this.#ports.hasher, entries, checksum) : undefined
  }

  async close(): Promise<void> {
    await this.#ports.openFiles.close()
  }

  async #index(state: PackState, signal: AbortSignal | undefined): Promise<PackIndex | undefined> {
    if (state.parsed !== undefined || !isThere(state)) return state.parsed
    const { entries, checksum } = await scanPack(this.#ports, state.path, signal)
    const { hasher } = this.#ports
    return parsePackIndex(hasher, await encodePackIndex(hasher, entries, checksum), `${state.path}.idx`)
  }
}

function isThere({ pack }: PackState): boolean {
  return pack === "sound" || pack === "corrupt"
}

const OPEN_FILES = 8
const BASES_BYTES = 64 << 20
const LIMIT_BYTES = 2 ** 30
