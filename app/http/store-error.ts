/** What the server answers where a call fails: the code and the details of a SnapshotError, or a code of its own. */
export class StoreError extends Error {
  override readonly name = "StoreError"
  readonly code: string
  readonly details: unknown

  constructor(code: string, message: string, details?: unknown) {
    super(message)
    this.code = code
    this.details = details
  }
}

/** The error in an answer's body; where there is none, one that names the status. */
export function errorOf(status: number, body: unknown): StoreError {
  const { error } = typeof body === "object" && body !== null ? (body as { readonly error?: unknown }) : {}
  if (typeof error !== "object" || error === null)
    return new StoreError(`HTTP_${status}`, `The server answered ${status}.`)
  const { code, message, details } = error as { readonly [name: string]: unknown }
  return new StoreError(String(code), String(message), details)
}

/** While there is no server to ask. */
export function disconnected(cause?: unknown): StoreError {
  const error = new StoreError("DISCONNECTED", "The server cannot be reached. The page goes on as soon as it is back.")
  if (cause !== undefined) error.cause = cause
  return error
}
