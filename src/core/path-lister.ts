/** What globs match in a folder. */
export interface PathListing {
  /** Relative paths of the files and links that match, in no order. Names that are not UTF-8 are left out. */
  readonly paths: readonly string[]
  /** Relative paths of folders that could not be read. */
  readonly unreadable: readonly string[]
}

/**
 * Port: lists files by globs. Never follows a link; names that begin with a dot match like others; folders named `.git`
 * are not entered; letter case counts.
 */
export interface PathLister {
  list(root: string, globs: readonly string[]): Promise<PathListing>
}
