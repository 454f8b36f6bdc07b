import fc from "fast-check"
import { describe, expect, it } from "vitest"
import { decodeName, encodeName } from "../../src/core/path.js"
import { quotePath } from "../../src/core/quote-path.js"
import { git, gitIsThere } from "../support/git.js"
import { temporaryFolder } from "../support/temporary-folder.js"

describe("quotePath", () => {
  it("leaves printable ASCII as it is, spaces included", () => {
    expect(quotePath("src/a b (1)~.ts")).toBe("src/a b (1)~.ts")
    expect(quotePath(" - ", "a/")).toBe("a/ - ")
  })

  it("escapes control characters, quotes, backslashes and bytes above 0x7f, with the prefix inside the quotes", () => {
    expect(quotePath('a"b\\c', "b/")).toBe('"b/a\\"b\\\\c"')
    expect(quotePath("\x01\x07\b\t\n\v\f\r\x1f\x7f")).toBe('"\\001\\a\\b\\t\\n\\v\\f\\r\\037\\177"')
    expect(quotePath("é")).toBe('"\\303\\251"')
    expect(quotePath(decodeName(Uint8Array.of(0xff, 0x61)))).toBe('"\\377a"')
  })

  it.runIf(gitIsThere())("writes every name as git writes it", async () => {
    const cwd = await temporaryFolder()
    git(["init", "-q"], { cwd })
    const bytes = fc.uint8Array({ minLength: 1, maxLength: 8 }).map((name) => name.map((byte) => byte || 1))
    const odd = fc.string({ unit: fc.constantFrom(..." \t\n\"\\'é€😀ab-~\x7f"), minLength: 1, maxLength: 8 })
    const names = fc
      .sample(fc.oneof(bytes.map(decodeName), odd), 3000)
      .map((name) => decodeName(encodeName(`x${name.replaceAll("/", "_")}`)))
    const entries = [...new Set(names)].map((name) => [
      Buffer.from(`100644 ${"1".repeat(40)}\t`),
      encodeName(name),
      Buffer.of(0),
    ])
    git(["update-index", "-z", "--index-info"], { cwd, input: Buffer.concat(entries.flat()) })
    const listed = git(["ls-files"], { cwd }).text.trimEnd().split("\n")
    expect([...new Set(names)].map((name) => quotePath(name)).toSorted()).toEqual(listed.toSorted())
  })
})
