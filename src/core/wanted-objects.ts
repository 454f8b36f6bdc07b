/** Objects that are looked for, many at once, so one behind the other. */
export interface WantedObjects {
  readonly count: number
  /** 20 bytes for each. */
  readonly oids: Uint8Array
  /** BLOB or TREE. */
  readonly types: Uint8Array
  /** How many bytes each has. */
  readonly sizes: Float64Array
}

export const BLOB = 0
export const TREE = 1
