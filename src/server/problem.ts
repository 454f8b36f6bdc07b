import { HTTPException } from "hono/http-exception"
import { SnapshotError, type ErrorCode } from "../core/errors.js"

/** What a request is refused for before a store is asked. */
export type RefusalCode = "UNAUTHORIZED" | "FORBIDDEN" | "TOO_LARGE" | "NOT_FOUND" | "METHOD_NOT_ALLOWED"

/** A request that is refused. `message` says what to do about it. */
export class Refusal extends Error {
  override readonly name = "Refusal"
  readonly code: RefusalCode
  readonly headers: Readonly<Record<string, string>>

  constructor(code: RefusalCode, message: string, headers: Readonly<Record<string, string>> = {}) {
    super(message)
    this.code = code
    this.headers = headers
  }
}

/** The answer that tells of `error`: its status, and `{ error: { code, message, details? } }`. Nothing else of it gets out. */
export function problem(error: unknown): Response {
  if (error instanceof Refusal)
    return answer(REFUSALS[error.code], { code: error.code, message: error.message }, error.headers)
  if (error instanceof SnapshotError) {
    const { code, message, details } = error as SnapshotError
    return answer(STATUS[code] ?? 500, { code, message, details })
  }
  // What is refused on the way to a handler: another type of content, or what is no JSON.
  if (error instanceof HTTPException)
    return answer(400, {
      code: "INVALID_ARGUMENT",
      message: "Send the body as JSON, with Content-Type: application/json.",
      details: { argument: "body" },
    })
  return answer(500, {
    code: "UNEXPECTED",
    message: `Something unexpected happened: ${error instanceof Error ? error.message : String(error)}`,
  })
}

interface Problem {
  readonly code: string
  readonly message: string
  readonly details?: unknown
}

function answer(status: number, error: Problem, headers: Readonly<Record<string, string>> = {}): Response {
  return Response.json({ error }, { status, headers: { ...headers, "Cache-Control": "no-store" } })
}

const REFUSALS: Readonly<Record<RefusalCode, number>> = {
  UNAUTHORIZED: 401,
  FORBIDDEN: 403,
  NOT_FOUND: 404,
  METHOD_NOT_ALLOWED: 405,
  TOO_LARGE: 413,
}

const STATUS: Readonly<Partial<Record<ErrorCode, number>>> = {
  INVALID_ARGUMENT: 400,
  PATH_UNSAFE: 400,
  IS_FOLDER: 400,
  AMBIGUOUS: 400,
  NOT_A_SNAPSHOT: 400,
  NOT_FOUND: 404,
  WRONG_WORKSPACE: 409,
  NOTHING_TO_UNDO: 409,
  RESTORE_PENDING: 409,
  LOCK_HELD: 409,
  NO_SPACE: 507,
  CLOSED: 503,
}
