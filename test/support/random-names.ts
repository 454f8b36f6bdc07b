import fc from "fast-check"

/** A name or a link's text with one character a byte: exactly what the disk holds, UTF-8 or not. */
export type ByteText = string

/** The bytes of UTF-8 text. */
export function byteText(text: string): ByteText {
  return Buffer.from(text, "utf8").toString("latin1")
}

/** The text that the bytes spell, for file systems that know no bytes; only for bytes that are UTF-8. */
export function plainText(bytes: ByteText): string {
  return Buffer.from(bytes, "latin1").toString("utf8")
}

/**
 * Names that a tree object can hold: those that sort around "/" as file and as folder, that need quoting somewhere, that
 * sort differently in UTF-16 and in bytes, that look like one another, that are as long as a name can be, and any others.
 * Outside Linux, where such names cannot be made, plain ones.
 */
export const safeName: fc.Arbitrary<ByteText> =
  process.platform === "linux"
    ? fc.oneof(
        { arbitrary: fc.constantFrom(...aroundSlash()), weight: 5 },
        { arbitrary: fc.constantFrom(...oddNames()).map(byteText), weight: 4 },
        { arbitrary: longName(), weight: 1 },
        { arbitrary: anyName(), weight: 3 },
      )
    : fc.oneof(fc.constantFrom(...aroundSlash()), fc.stringMatching(/^[a-z0-9_]{1,12}$/))

/** Names that no snapshot takes: what Git forbids in some system's spelling, and what is no UTF-8. */
export const unsafeName: fc.Arbitrary<ByteText> = fc.constantFrom(...unsafeNames())

/** Whether a name is one of those that unsafeName gives. No other that is given here is unsafe. */
export function isKnownUnsafe(name: ByteText): boolean {
  return UNSAFE.has(name)
}

function aroundSlash(): string[] {
  return ["a", "a.b", "a-b", "a0", "a b", "ab", "a+", "A", "b", "b.c", "b-", "dir", "dir.txt", "dir-1", "dir0"]
}

function oddNames(): string[] {
  return [
    " ",
    " lead",
    "trail ",
    "dot.",
    "...",
    "..a",
    ".hidden",
    "-",
    "--help",
    "~",
    "#hash",
    "!bang",
    "new\nline",
    "tab\there",
    'quo"te',
    "single'",
    "[*]",
    ":(top)x",
    ":",
    "*",
    "?",
    "a\\b",
    "\\",
    "\\\\n",
    "$HOME",
    "%20",
    "a\rb",
    "\u0001\u001f",
    "\u007f",
    "\u00e9",
    "e\u0301",
    "\u212b",
    "\u00c5",
    "ﬁ",
    "\uff21",
    "\uff5e",
    "\ufffd",
    "\ufeffbom",
    "\ue000",
    "\u{1f600}",
    "\u{10000}",
    "\u{10ffff}",
    "日本語",
    "CON",
    "nul.txt",
    "aux",
    "COM1",
    "LPT9.log",
    "HEAD",
    "objects",
    "refs",
    "index.lock",
    ".gitattributes",
    ".gitkeep",
    ".github",
    "git",
    "git~2",
    ".git-x",
    ".gitx",
    "..git",
    "constructor",
    "__proto__",
    "toString",
  ]
}

function longName(): fc.Arbitrary<ByteText> {
  return fc.constantFrom("x".repeat(255), `${"x".repeat(254)}y`, byteText("é".repeat(127)), byteText("😀".repeat(63)))
}

function anyName(): fc.Arbitrary<ByteText> {
  return fc
    .string({ unit: "binary", minLength: 1, maxLength: 12 })
    .map((text) => text.toWellFormed().replaceAll(/[/\0]/g, "_"))
    .filter((text) => text !== "." && text !== ".." && !/git/i.test(text))
    .map(byteText)
}

function unsafeNames(): ByteText[] {
  const spellings = [".GIT", ".Git", "git~1", "GIT~1", ".git ", ".git.", ".git. .", ".git:x", ".git::$INDEX_ALLOCATION"]
  const hidden = [".g\u200cit", "\ufeff.git", ".gi\u206ft", "x\\.git", ".git\\x", "a\\git~1 "]
  const broken = ["\xff", "a\xe9b", "\xc3", "\xed\xa0\x80", "\xc0\xaf", "\xf0\x9f\x98", "\x80.txt"]
  return [...[...spellings, ...hidden].map(byteText), ...broken]
}

const UNSAFE: ReadonlySet<ByteText> = new Set(unsafeNames())
