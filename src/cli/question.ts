import { createInterface } from "node:readline/promises"

/** Asks whether to go on; true for yes. Rejects with the signal's reason when that aborts. */
export type Confirm = (question: string) => Promise<boolean>

/** Asks whoever sits at the terminal; undefined where nobody does, as in scripts. */
export function confirmation({ stdin, stdout, stderr }: NodeJS.Process, signal: AbortSignal): Confirm | undefined {
  if (!stdin.isTTY || !stdout.isTTY) return undefined
  return async (question) => {
    // The terminal edits the line, so that Ctrl-C is a signal as everywhere else.
    const lines = createInterface({ input: stdin, output: stderr, terminal: false })
    try {
      const ended = new Promise<string>((resolve) => lines.once("close", () => resolve("")))
      const answer = await Promise.race([lines.question(`${question} [y/N] `, { signal }), ended])
      return /^\s*y(es)?\s*$/i.test(answer)
    } catch (error) {
      signal.throwIfAborted()
      throw error
    } finally {
      lines.close()
    }
  }
}
