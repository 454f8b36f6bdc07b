/** What globs match in a folder. */
export interface PathListing {
  /** Relative paths of the files and links that match, in no order. Names that are not UTF-8 are left out. */
  readonly paths: readonly string[]
  /** Relative paths of folders that could not be read; "" is the root. */
  readonly unreadable: readonly string[]
}

/**
 * Port: lists files by globs. Never follows a link; names that begin with a dot match like others; what is named `.git`
 * is left out, a folder with all that is in it; letter case counts.
 *
 * `*` stays within a folder, `**` crosses folders, a backslash escapes. A glob that begins with "!" takes out what it
 * names from what the others match, or from everything when there are no others. Globs that are empty, absolute, or climb
 * with "..": INVALID_ARGUMENT.
 */
export interface PathLister {
  list(root: string, globs: readonly string[]): Promise<PathListing>
}
