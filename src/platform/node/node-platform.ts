import fs from "node:fs"
import { homedir } from "node:os"
import type { Environment } from "../../core/environment.js"
import type { ContentReader } from "../../core/content-reader.js"
import type { FileSystemClient } from "../../core/file-system-client.js"
import type { Platform } from "../../core/platform.js"
import type { StatChecker } from "../../core/stat-checker.js"
import { clientFileSystem } from "../client-file-system.js"
import { systemClock } from "../system-clock.js"
import { fastGlobLister } from "./fast-glob-lister.js"
import { nodeBatches } from "./node-batches.js"
import { nodeDeflater } from "./node-deflater.js"
import { nodeFileSystem } from "./node-file-system.js"
import { nodeHasher } from "./node-hasher.js"
import { nodeOwner } from "./node-owner.js"
import { nodeUnpacker } from "./node-unpacker.js"
import type { JobThread } from "./job-thread.js"
import { statThreads } from "./stat-threads.js"
import { threadDiffer } from "./thread-differ.js"

/** What to use instead of Node's own. */
export interface NodePlatformOptions {
  /** The file system; node:fs by default. */
  readonly client?: FileSystemClient
  /** Reads files of node:fs; without it they are read beside each other only as far as the thread pool of Node goes. */
  readonly contentReader?: ContentReader
  /** Looks at many paths of node:fs; without it each platform has threads of its own for that. */
  readonly statChecker?: StatChecker
  /** Does what takes long; without it that is done on the calling thread. */
  readonly jobThread?: JobThread
}

/** The ports on Node. The one place in the library that looks at the environment and the home folder. */
export async function nodePlatform(options: NodePlatformOptions = {}): Promise<Platform> {
  const { client, jobThread, statChecker } = options
  // node:fs itself is better served by what knows its flags and handles.
  const isNode = client === undefined || client.promises === fs.promises
  const fileSystem = isNode ? nodeFileSystem() : clientFileSystem(client)
  const unpacker = nodeUnpacker()
  return {
    fileSystem,
    hasher: nodeHasher(),
    deflater: nodeDeflater(),
    unpacker,
    ...(jobThread === undefined ? {} : { differ: threadDiffer(jobThread) }),
    clock: systemClock(),
    owner: nodeOwner(),
    lister: fastGlobLister(fileSystem),
    environment: environment(),
    ...(isNode ? { statChecker: statChecker ?? statThreads(new URL("stat-worker.js", import.meta.url)) } : {}),
    ...(isNode && fileSystem.traits.folderHandles ? { fileBatches: nodeBatches(jobThread, unpacker, fs) } : {}),
    ...(isNode && options.contentReader !== undefined ? { contentReader: options.contentReader } : {}),
  }
}

function environment(): Environment {
  const home = homeFolder()
  return { variables: { ...process.env }, ...(home === undefined ? {} : { home }) }
}

function homeFolder(): string | undefined {
  try {
    return homedir() || undefined
  } catch {
    // The user of a container may have no entry in the list of users.
    return undefined
  }
}
