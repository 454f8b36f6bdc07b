/** What went wrong, for people. */
export interface Problem {
  readonly message: string
  readonly code: string | undefined
}

export function problemOf(error: unknown): Problem {
  if (!(error instanceof Error)) return { message: String(error), code: undefined }
  const { code } = error as { readonly code?: unknown }
  return { message: error.message, code: typeof code === "string" ? code : undefined }
}

/** Whether the call failed only because nobody is there to answer: the page says so once, at its top. */
export function isDisconnected(problem: Problem): boolean {
  return problem.code === "DISCONNECTED"
}
