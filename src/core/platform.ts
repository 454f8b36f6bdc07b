import type { Clock } from "./clock.js"
import type { ContentReader } from "./content-reader.js"
import type { Deflater } from "./deflater.js"
import type { Differ } from "./differ.js"
import type { Environment } from "./environment.js"
import type { FileBatches } from "./file-batches.js"
import type { FileSystem } from "./file-system.js"
import type { Hasher } from "./hasher.js"
import type { OwnerSource } from "./owner.js"
import type { PathLister } from "./path-lister.js"
import type { StatChecker } from "./stat-checker.js"
import type { Unpacker } from "./unpacker.js"

/** All ports that the library needs of the place where it runs. */
export interface Platform {
  readonly fileSystem: FileSystem
  readonly hasher: Hasher
  readonly deflater: Deflater
  readonly clock: Clock
  readonly owner: OwnerSource
  readonly lister: PathLister
  readonly environment: Environment
  /** Where many paths can be looked at fast. */
  readonly statChecker?: StatChecker
  /** Where objects can be unpacked at once. */
  readonly unpacker?: Unpacker
  /** Where there are threads. */
  readonly differ?: Differ
  /** Of the files of `fileSystem`, where its folder handles hold. */
  readonly fileBatches?: FileBatches
  /** Of the files of `fileSystem`, where there is one. */
  readonly contentReader?: ContentReader
}
