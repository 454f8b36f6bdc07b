/** Environment variables by name, as a process has them. */
export type Variables = Readonly<Record<string, string | undefined>>

/**
 * The environment for native git: what `inherited` has, less its `GIT_*` variables other than the ones named below, with
 * what keeps git from asking, waiting and translating, and with all of `added`.
 *
 * Dropped is everything unless it is known to be harmless. Most `GIT_*` variables redirect paths or change what a command
 * means, they were meant for another command (git sets them for its own hooks), and later versions of git add to them.
 * Source: https://git-scm.com/docs/git#_environment_variables
 */
export function gitEnvironment(inherited: Variables, added: Variables = {}): Record<string, string> {
  const variables: Record<string, string> = {}
  for (const [name, value] of Object.entries(inherited))
    if (value !== undefined && isKept(name.toUpperCase())) variables[name] = value
  for (const [name, value] of Object.entries({ ...FIXED, ...added })) {
    if (value === undefined) delete variables[name]
    else variables[name] = value
  }
  return variables
}

function isKept(name: string): boolean {
  return !name.startsWith("GIT_") || KEPT.has(name) || KEPT_BEGINNINGS.some((beginning) => name.startsWith(beginning))
}

const FIXED: Variables = {
  /** Nobody is there to answer. */
  GIT_TERMINAL_PROMPT: "0",
  /** A command that only looks must not take the index's lock to note what it saw. */
  GIT_OPTIONAL_LOCKS: "0",
  /** Messages in one language, sorting by bytes. */
  LC_ALL: "C",
}

/**
 * Which configuration files the user has; where git's own programs are; how the user's network wants to be used. The
 * variables that carry single settings (GIT_CONFIG_COUNT, GIT_CONFIG_PARAMETERS, …) are dropped: they can redirect paths.
 */
const KEPT: ReadonlySet<string> = new Set([
  "GIT_CONFIG_GLOBAL",
  "GIT_CONFIG_SYSTEM",
  "GIT_CONFIG_NOSYSTEM",
  "GIT_EXEC_PATH",
  "GIT_ASKPASS",
  "GIT_ALLOW_PROTOCOL",
  "GIT_PROTOCOL_FROM_USER",
])

/** Who the user is, and how his connections are made. */
const KEPT_BEGINNINGS: readonly string[] = [
  "GIT_AUTHOR_",
  "GIT_COMMITTER_",
  "GIT_SSH",
  "GIT_SSL_",
  "GIT_HTTP_",
  "GIT_PROXY_",
]
