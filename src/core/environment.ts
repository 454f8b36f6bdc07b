/** What the library takes from outside: the variables and folders that decide where Git's own configuration lies. */
export interface Environment {
  /** The user's home folder, where there is one. */
  readonly home?: string
  /** Environment variables by name. */
  readonly variables: Readonly<Record<string, string | undefined>>
}
