import { spawnSync } from "node:child_process"
import { cp, mkdir, readdir, readFile, symlink, writeFile } from "node:fs/promises"
import { dirname, join, relative } from "node:path"
import { fileURLToPath } from "node:url"
import { expect, test } from "vitest"
import { temporaryFolder } from "../support/temporary-folder.js"

const CHECKOUT = fileURLToPath(new URL("../..", import.meta.url))
const OXLINT = join(CHECKOUT, "node_modules/oxlint/bin/oxlint")

/* What each layer may import: a name with a slash is a folder below src, "node:" is Node itself. */
const MAY: Readonly<Record<string, readonly string[]>> = {
  "core/": ["core/"],
  "store/": ["core/", "store/"],
  "tree/": ["core/", "tree/"],
  "platform/": ["core/", "platform/", "platform/web/"],
  "platform/node/": ["core/", "platform/", "platform/web/", "platform/node/", "node:"],
  "platform/web/": ["core/", "platform/", "platform/web/"],
  "calls/": ["core/", "store/", "tree/", "calls/", "snapshot-store"],
  "snapshot-store": ["core/"],
  "open-store-browser": ["core/", "store/", "tree/", "platform/", "platform/web/", "calls/", "snapshot-store"],
  "open-store": [
    "core/",
    "store/",
    "tree/",
    "platform/",
    "platform/node/",
    "platform/web/",
    "calls/",
    "sidecar/",
    "snapshot-store",
    "open-store-browser",
    "node:",
  ],
  "job-program": ["core/", "tree/", "platform/", "platform/node/", "platform/web/", "node:"],
  "maintain-program": [
    "core/",
    "store/",
    "platform/",
    "platform/node/",
    "platform/web/",
    "calls/",
    "snapshot-store",
    "node:",
  ],
  browser: ["core/", "snapshot-store", "open-store-browser"],
  index: ["core/", "snapshot-store", "open-store-browser", "open-store", "node:"],
  "sidecar/": ["core/", "sidecar/", "node:"],
  "opencode/": ["core/", "snapshot-store", "open-store-browser", "open-store", "opencode/", "node:"],
  "server/": ["core/", "snapshot-store", "server/", "node:"],
  "cli/": ["core/", "snapshot-store", "open-store-browser", "open-store", "server/", "sidecar/", "cli/", "node:"],
}
const LAYERS = Object.keys(MAY)
const TARGETS = [...LAYERS, "node:"]
const LAYER_RULES = ["eslint(no-restricted-imports)", "import(no-nodejs-modules)"]

test("a file of each layer can import what its layer may, and nothing else", async () => {
  const all = LAYERS.map((layer) => {
    const file = layer.endsWith("/") ? `src/${layer}scratch.ts` : `src/${layer}.ts`
    return { file, layer, targets: TARGETS.filter((target) => target.endsWith("/") || target !== layer) }
  })
  const importing = all.map(({ file, targets }) => [file, targets.map((to) => `import "${specifier(file, to)}"`)])
  const complaints = await lint(Object.fromEntries(importing), LAYER_RULES)
  for (const { file, layer, targets } of all) {
    const refused = complaints.filter((complaint) => complaint.file === file).map(({ line }) => targets[line - 1])
    const accepted = targets.filter((target) => !refused.includes(target))
    expect(accepted, file).toEqual(targets.filter((target) => MAY[layer]?.includes(target)))
  }
})

test("no way to write an import escapes the layer rule", async () => {
  const lines = [
    'import type { A } from "../store/a.js"',
    'export { b } from "../tree/b.js"',
    'export * from "../open-store.js"',
    'export const c = import("../platform/c.js")',
    'export const d = import("node:fs")',
    'import { readFile } from "fs/promises"',
    'export type E = import("../store/e.js").E',
  ]
  const complaints = await lint({ "src/core/deep/scratch.ts": lines.map((line) => line.replace("../", "../../")) })
  const rules = [...LAYER_RULES, "typescript(consistent-type-imports)"]
  const refused = complaints.filter((complaint) => rules.includes(complaint.rule)).map((complaint) => complaint.line)
  expect(new Set(refused)).toEqual(new Set(lines.map((_, index) => index + 1)))
})

test("the layer rule knows every file and folder of src", async () => {
  const found = await readdir(join(CHECKOUT, "src"), { withFileTypes: true })
  const names = found.map((one) => (one.isDirectory() ? `${one.name}/` : one.name.replace(/\.ts$/, "")))
  expect(names.filter((name) => !LAYERS.includes(name))).toEqual([])
})

test("the page imports the contract, and only its demo the entry for browsers", async () => {
  const targets = ["snapshot-store", "browser", "index", "core/errors", "open-store-browser", "cli/main"]
  const lines = targets.map((target) => `import "../../src/${target}.js"`)
  const files = {
    "app/ui/scratch.ts": [...lines, 'import "../demo/a.js"', 'import "node:fs"'],
    "app/demo/scratch.ts": lines,
  }
  const complaints = await lint(files, LAYER_RULES, "app")
  const refusedIn = (file: string): number[] =>
    complaints.filter((complaint) => complaint.file === file).map(({ line }) => line)
  expect(refusedIn("app/ui/scratch.ts")).toEqual([2, 3, 4, 5, 6, 7, 8])
  expect(refusedIn("app/demo/scratch.ts")).toEqual([3, 4, 5, 6])
})

test("two files that import each other are refused, even if only for types", async () => {
  const files = {
    "src/core/a.ts": ['import type { B } from "./b.js"', "export type A = B | 1"],
    "src/core/b.ts": ['import type { A } from "./a.js"', "export type B = A | 2"],
  }
  expect((await lint(files, ["import(no-cycle)"])).map((complaint) => complaint.file)).toEqual(Object.keys(files))
})

test("what we ask of every file is refused where it is missing", async () => {
  const broken = {
    "typescript(no-floating-promises)": "export const f = async (): Promise<void> => { Promise.resolve(1) }",
    "typescript(no-misused-promises)": "if (Promise.resolve(true)) throw new Error()",
    "typescript(no-explicit-any)": "export const a: any = 1",
    "import(no-default-export)": "export default 1",
    "eslint(no-unused-vars)": "const a = 1",
    "eslint(no-console)": "console.log(1)",
  }
  const files = Object.values(broken).map((line, index) => [`src/core/${index}.ts`, [line]])
  expect((await lint(Object.fromEntries(files))).map((complaint) => complaint.rule)).toEqual(Object.keys(broken))
})

test("child processes need no package: nothing that their files reach imports one", async () => {
  const folder = join(CHECKOUT, "src/sidecar")
  const reached = new Set((await readdir(folder)).map((name) => join(folder, name)))
  const packages: string[] = []
  for (const file of reached)
    for (const wanted of importsOf(await readFile(file, "utf8")))
      if (wanted.startsWith(".")) reached.add(join(dirname(file), wanted.replace(/\.js$/, ".ts")))
      else if (!wanted.startsWith("node:")) packages.push(`${relative(CHECKOUT, file)} imports ${wanted}`)
  expect(packages).toEqual([])
  expect([...reached].map((file) => relative(CHECKOUT, file))).toContain("src/core/errors.ts")
})

interface Complaint {
  readonly file: string
  readonly line: number
  readonly rule: string
}

/* What a file names in its imports, in whatever form. */
function importsOf(source: string): string[] {
  return Array.from(source.matchAll(/(?:\bfrom|\bimport)\s*\(?\s*["']([^"'\s]+)["']/g), ([, wanted]) => wanted ?? "")
}

/* What our lint says of these files of a part of the checkout, sorted by file and line. */
async function lint(
  files: Readonly<Record<string, readonly string[]>>,
  rules?: readonly string[],
  part = "src",
): Promise<Complaint[]> {
  const folder = await temporaryFolder()
  for (const name of [".oxlintrc.json", "tsconfig.json"]) await cp(join(CHECKOUT, name), join(folder, name))
  await symlink(join(CHECKOUT, "node_modules"), join(folder, "node_modules"), "junction")
  for (const [file, lines] of Object.entries(files)) {
    await mkdir(dirname(join(folder, file)), { recursive: true })
    await writeFile(join(folder, file), `${lines.join("\n")}\n`)
  }
  const done = spawnSync(process.execPath, [OXLINT, "--format", "unix", part], { cwd: folder, encoding: "utf8" })
  const found = done.stdout.matchAll(/^(?<file>.+?):(?<line>\d+):\d+: .* \[Error\/(?<rule>.+)\]$/gm)
  return Array.from(found, ({ groups }) => ({
    file: groups?.["file"] ?? "",
    line: Number(groups?.["line"]),
    rule: groups?.["rule"] ?? "",
  }))
    .filter((complaint) => rules?.includes(complaint.rule) ?? true)
    .sort((a, b) => a.file.localeCompare(b.file) || a.line - b.line)
}

function specifier(file: string, target: string): string {
  if (target === "node:") return "node:fs"
  const path = relative(dirname(file), target.endsWith("/") ? `src/${target}other.js` : `src/${target}.js`)
  return path.startsWith(".") ? path : `./${path}`
}
