/*
 * What the user's own repository has hashed already: the entries of its index, as far as each is one that Git itself would
 * count on, is of a file that is as it was then, and of one whose content Git stores as it is. docs/STORAGE.md has the
 * rules.
 */
import { isTrue, lastVariable, type ConfigVariable } from "../core/git-config.js"
import { pathsNamed } from "../core/index-columns.js"
import { readIndexFile, type IndexFile } from "../core/index-file.js"
import { isInside, parentOf, type RepoPath } from "../core/path.js"
import type { Platform } from "../core/platform.js"
import { FOLDER_ROW, type StatChecker } from "../core/stat-checker.js"
import { BLOB, TREE, type WantedObjects } from "../core/wanted-objects.js"
import { ATTRIBUTES, type AttributesPlaces } from "./attributes-files.js"
import { readConfigFiles } from "./config-files.js"
import { findOwnRepository, type OwnRepository } from "./own-repository.js"
import { readConversions } from "./conversions.js"
import type { RulesSource } from "./rules-now.js"
import { attributesFolders, changedRows } from "./seed-rows.js"
import { seedTable } from "./seed-table.js"
import { seedTrees } from "./seed-trees.js"
import { SeedView } from "./seed-view.js"
import { sharedBuffer, type NamedTable } from "./stat-table.js"
import { pathFrom } from "./system-path.js"

/** The user's repository as a seed. */
export interface SeedSource {
  /** Where it keeps its objects. */
  readonly objects: string
  /** Begins to look at the files, and tells the objects that it has to have. */
  begin(): Promise<BegunSeed>
}

/** A seed whose files are being looked at. */
export interface BegunSeed {
  readonly wanted: WantedObjects
  /** The seed, of those of the wanted objects for which `held` has 1; undefined when there is nothing in it. */
  finish(held: Uint8Array): Promise<SeedView | undefined>
}

/** A repository that should be a seed and cannot be one, and why, for people. */
export interface SeedProblem {
  readonly problem: string
}

/**
 * The repository of a work tree, when it can be a seed: undefined when there is none, when nothing of it can be counted
 * on, and where paths cannot be looked at fast.
 */
export async function findSeed(
  platform: Platform,
  worktree: string,
  rules: RulesSource,
): Promise<SeedSource | SeedProblem | undefined> {
  const { fileSystem: fs, environment, statChecker, clock } = platform
  const repository = statChecker && (await findOwnRepository(fs, worktree))
  if (repository === undefined) return undefined
  // An index of fewer paths is looked at without.
  const { sizeBytes = 0 } = (await fs.lstat(pathFrom(repository.gitdir, "index"))) ?? {}
  if (sizeBytes > MANY_PATHS_BYTES) statChecker?.prepare()
  const config = await readConfigFiles({ fs, environment, repository })
  if (convertsAll(config)) return undefined
  const format = lastVariable(config, "extensions.objectformat")?.value ?? "sha1"
  if (format.toLowerCase() !== "sha1") return { problem: `The repository's object names are ${format}, not SHA-1.` }
  const index = await readIndex(platform, repository, rules)
  if (index !== undefined && "problem" in index) return index
  // With a time to come, nothing can be told to be older.
  if (index === undefined || index.writtenNs > BigInt(clock.nowMs()) * 1_000_000n) return undefined
  const seen = await seedTable(index.columns, repository.prefix, Number(index.writtenNs / 1_000_000_000n))
  if (seen === undefined) return { problem: "The entries of the repository's index are in no order." }
  if (seen.table.count === 1) return undefined
  const places = { fs, environment, repository, config }
  return {
    objects: pathFrom(repository.commonDir, "objects"),
    begin: () =>
      begin(platform, statChecker as StatChecker, { worktree, seen, places, indexed: attributesIn(index, repository) }),
  }
}

async function readIndex(
  { fileSystem, hasher }: Platform,
  { gitdir }: OwnRepository,
  rules: RulesSource,
): Promise<IndexFile | SeedProblem | undefined> {
  const read: (IndexFile | undefined)[] = []
  try {
    await rules.now((index) => void read.push(index))
    return read[0] ?? (await readIndexFile(fileSystem, hasher, gitdir))
  } catch (error) {
    return { problem: error instanceof Error ? error.message : String(error) }
  }
}

/** Some thousand paths. */
const MANY_PATHS_BYTES = 256 * 1024

/** Line ends of any file that Git takes for text. */
function convertsAll(config: readonly ConfigVariable[]): boolean {
  return isTrue(config, "core.autocrlf") || lastVariable(config, "core.autocrlf")?.value?.toLowerCase() === "input"
}

/** The folders, from the repository's top, in which the index has attributes that count in the work tree. */
function attributesIn({ columns }: IndexFile, { prefix }: OwnRepository): RepoPath[] {
  return pathsNamed(columns, ATTRIBUTES)
    .map((path) => parentOf(path as RepoPath))
    .filter((folder) => isInside(folder, prefix) || isInside(prefix, folder))
}

interface ReadIndex {
  readonly worktree: string
  readonly seen: NamedTable
  readonly places: Omit<AttributesPlaces, "folders">
  /** The folders in which the index has attributes. */
  readonly indexed: readonly RepoPath[]
}

async function begin(platform: Platform, checker: StatChecker, index: ReadIndex): Promise<BegunSeed> {
  const { hasher, clock, fileSystem } = platform
  const { worktree, seen, places, indexed } = index
  const { table } = seen
  const beganMs = clock.nowMs()
  const sizes = table.sizes.slice()
  const found = new Uint8Array(sharedBuffer(table.count))
  const survey = checker.survey(worktree, { ...table, found }, seen.names)
  await seedTrees(hasher, seen, sizes)
  const types = table.kinds.map((kind) => (kind === FOLDER_ROW ? TREE : BLOB))
  return {
    wanted: { count: table.count, oids: table.oids, types, sizes },
    async finish(held) {
      await survey.finish()
      const surveyed = { seen, found, beganMs, executableBit: fileSystem.traits.executableBit }
      const conversions = await readConversions({ ...places, folders: attributesFolders(surveyed) }, indexed)
      if (conversions === "all") return undefined
      const view = new SeedView(seen, await changedRows(surveyed, held, sizes, conversions))
      return view.files === 0 ? undefined : view
    },
  }
}
