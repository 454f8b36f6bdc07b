import { execFileSync } from "node:child_process"
import { existsSync, mkdirSync, mkdtempSync, renameSync, rmSync } from "node:fs"
import { delimiter, join } from "node:path"
import { fileURLToPath } from "node:url"
import { chromium } from "playwright"

/** How to start a Chromium, in Playwright's words. */
export interface ChromiumLaunch {
  readonly executablePath: string
  readonly args: string[]
  readonly env?: Record<string, string>
}

const FLAGS = [
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
]
const PROGRAMS = ["chromium", "chromium-browser", "google-chrome"]
const MAC_PROGRAM = "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome"
const CACHE = fileURLToPath(new URL("../../node_modules/.cache", import.meta.url))

/**
 * The first Chromium of these: the one that CHROMIUM_PATH names, the system's, the one inside the package
 * @sparticuz/chromium (Linux on x64), Playwright's own. Where there is none it throws and says what to do.
 */
export function findChromium(): ChromiumLaunch {
  const named = process.env["CHROMIUM_PATH"]
  if (named !== undefined && named !== "") {
    if (!existsSync(named)) throw new Error(`CHROMIUM_PATH names ${named}, where there is no Chromium`)
    return { executablePath: named, args: FLAGS }
  }
  const system = systemChromium()
  if (system !== undefined) return { executablePath: system, args: FLAGS }
  if (process.platform === "linux" && process.arch === "x64") return packagedChromium()
  const own = chromium.executablePath()
  if (existsSync(own)) return { executablePath: own, args: FLAGS }
  throw new Error(
    "the browser's tests need a Chromium and found none: install one, or set CHROMIUM_PATH to its program, " +
      "or run `npx playwright install chromium`",
  )
}

function systemChromium(): string | undefined {
  const folders = (process.env["PATH"] ?? "").split(delimiter)
  const places = PROGRAMS.flatMap((program) => folders.map((folder) => join(folder, program)))
  return [...places, MAC_PROGRAM].find((place) => existsSync(place))
}

/**
 * Unpacks the Chromium of @sparticuz/chromium once, beside the libraries that a bare machine lacks. The package
 * unpacks into the folder for temporary files and trusts whatever lies there, so a child gets a folder of its own
 * for that; the package adds the libraries only where it takes the machine for a function of Amazon's.
 */
function packagedChromium(): ChromiumLaunch {
  const folder = join(CACHE, "treeshot-chromium")
  if (!existsSync(folder)) {
    mkdirSync(CACHE, { recursive: true })
    const unpacked = mkdtempSync(`${folder}-`)
    const script = `import("@sparticuz/chromium").then((loaded) => loaded.default.executablePath())`
    const env = { ...process.env, TMPDIR: unpacked, AWS_EXECUTION_ENV: "AWS_Lambda_nodejs22.x" }
    execFileSync(process.execPath, ["-e", script], { cwd: CACHE, env })
    publish(unpacked, folder)
  }
  const env = { LD_LIBRARY_PATH: join(folder, "al2023", "lib"), FONTCONFIG_PATH: join(folder, "fonts") }
  return { executablePath: join(folder, "chromium"), args: FLAGS, env: { ...textsOf(process.env), ...env } }
}

function publish(unpacked: string, folder: string): void {
  try {
    renameSync(unpacked, folder)
  } catch (error) {
    rmSync(unpacked, { recursive: true })
    if (!existsSync(folder)) throw error
  }
}

function textsOf(env: NodeJS.ProcessEnv): Record<string, string> {
  return Object.fromEntries(Object.entries(env).filter((entry): entry is [string, string] => entry[1] !== undefined))
}
