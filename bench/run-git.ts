import { spawn } from "node:child_process"

/** What to run git with, and in. */
export interface GitPlace {
  readonly cwd: string
  readonly env?: Readonly<Record<string, string>>
}

/** Runs native git to its end and gives what it printed. A status other than 0 throws with what it said. */
export function runGit(args: readonly string[], { cwd, env }: GitPlace, input?: Uint8Array): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const child = spawn("git", args, { cwd, env: { ...process.env, ...env } })
    const printed: Buffer[] = []
    const said: Buffer[] = []
    child.stdout.on("data", (bytes: Buffer) => printed.push(bytes))
    child.stderr.on("data", (bytes: Buffer) => said.push(bytes))
    // A git that ends early does not read the rest; its status tells why.
    child.stdin.on("error", () => undefined)
    child.once("error", (cause) => reject(new Error("native git could not be started", { cause })))
    child.once("close", (status) => {
      if (status === 0) resolve(Buffer.concat(printed))
      else reject(new Error(`git ${args.join(" ")} gave ${status}: ${Buffer.concat(said).toString()}`))
    })
    child.stdin.end(input)
  })
}
