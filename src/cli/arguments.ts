/*
 * The command line, taken apart with cac.
 *
 * cac reads values as numbers where it can ("0e12" becomes 0, an empty value too), takes the word after a flag for the
 * flag's value, and lets a missing value pass. So the words are put into a form that it can only read one way before it
 * sees them: operands first, every value as --option=:value.
 */
import { cac, type CAC } from "cac"
import type { Command, Option, Words } from "./command.js"
import { helpSections } from "./help.js"
import { OPEN_OPTIONS } from "./open-options.js"
import { printable } from "./text.js"
import { wrongUse } from "./values.js"

/** What a command line asks for. */
export type Request =
  | { readonly kind: "command"; readonly command: Command; readonly words: Words }
  | { readonly kind: "help" | "version"; readonly show: () => void }

/** The options of every command. */
export const GLOBAL_OPTIONS: readonly Option[] = [
  ...OPEN_OPTIONS,
  { usage: "--json", text: "One JSON document on stdout" },
]

/** What `args`, the words after the program's name, ask for; INVALID_ARGUMENT with one sentence when they are no use of `commands`. */
export function parseArguments(args: readonly string[], commands: readonly Command[], version: string): Request {
  const parser = define(commands, version)
  const asked = helpFirst(args)
  const name = asked[firstOperand(asked)]
  const command = commands.find((each) => each.name === name)
  if (name !== undefined && command === undefined)
    throw wrongUse("command", `There is no command "${printable(name)}". treeshot --help lists them.`)
  const tokens = tokenize(asked, [...GLOBAL_OPTIONS, ...HELP_OPTIONS, ...(command?.options ?? [])], command)
  const help: Request = {
    kind: "help",
    show: () => void parser.parse(["", "", ...(name === undefined ? [] : [name]), "--help"]),
  }
  if (tokens.kind === "wrong" && !asked.some((word) => word === "--help" || word === "-h")) throw tokens.error
  if (tokens.kind === "wrong") return help
  if (tokens.flags.includes("--version")) return { kind: "version", show: () => parser.outputVersion() }
  if (command === undefined || tokens.flags.includes("--help")) return help
  const words = wordsOf(parser, tokens)
  checkOperands(command, words)
  return { kind: "command", command, words }
}

/** Whether the command line asks for JSON, however wrong the rest of it may be. */
export function asksForJson(args: readonly string[]): boolean {
  const end = args.indexOf("--")
  return args.slice(0, end < 0 ? undefined : end).includes("--json")
}

function define(commands: readonly Command[], version: string): CAC {
  const parser = cac("treeshot")
  for (const { usage, text } of GLOBAL_OPTIONS) parser.option(usage, text)
  for (const each of commands) {
    const defined = parser.command(`${each.name} ${each.operands}`.trim(), each.summary)
    const parts = [each.name, each.operands, "[options]", each.takesPaths ? "[-- <path>…]" : ""]
    defined.usage(parts.filter((part) => part !== "").join(" "))
    for (const { usage, text } of each.options) defined.option(usage, text)
  }
  parser.help((sections) =>
    helpSections(
      sections,
      commands.find((each) => each.name === parser.matchedCommand?.name),
    ),
  )
  parser.version(version, "-V, --version")
  return parser
}

/** "help <command>" as "<command> --help". */
function helpFirst(args: readonly string[]): readonly string[] {
  const at = firstOperand(args)
  return args[at] === "help" ? [...args.slice(0, at), ...args.slice(at + 1), "--help"] : args
}

/** Where the first word stands that is no option and no option's value; the length of `args` when there is none. */
function firstOperand(args: readonly string[]): number {
  for (let at = 0; at < args.length; at++) {
    const word = args[at] as string
    if (word === "--") return args.length
    if (!word.startsWith("-")) return at
    const option = GLOBAL_OPTIONS.find((each) => spellings(each).includes(word))
    if (option !== undefined && takesValue(option)) at++
  }
  return args.length
}

interface Tokens {
  readonly kind: "good"
  readonly operands: readonly string[]
  /** As cac reads them in one way only. */
  readonly flags: readonly string[]
  readonly rest: readonly string[] | undefined
}

type Tokenized = Tokens | { readonly kind: "wrong"; readonly error: Error }

function tokenize(args: readonly string[], options: readonly Option[], command: Command | undefined): Tokenized {
  const end = args.indexOf("--")
  const words = end < 0 ? args : args.slice(0, end)
  const operands: string[] = []
  const flags: string[] = []
  const seen = new Set<Option>()
  const wrong = (argument: string, message: string): Tokenized => ({
    kind: "wrong",
    error: wrongUse(argument, message),
  })
  for (let i = 0; i < words.length; i++) {
    const word = words[i] as string
    if (!word.startsWith("-")) {
      operands.push(word)
      continue
    }
    const { spelling, attached } = split(word, options)
    const option = options.find((each) => spellings(each).includes(spelling))
    if (option === undefined) return wrong(spelling, `${unknown(spelling, command)}.`)
    if (seen.has(option) && takesValue(option) && option.repeatable !== true)
      return wrong(spelling, `${spelling} is given twice.`)
    seen.add(option)
    if (!takesValue(option)) {
      if (attached !== undefined) return wrong(spelling, `${spelling} takes no value.`)
      if (!flags.includes(longName(option))) flags.push(longName(option))
      continue
    }
    const next = words[i + 1]
    if (attached === undefined && (next === undefined || (next.startsWith("-") && next !== "-")))
      return wrong(
        spelling,
        `${spelling} needs a value${next === undefined ? "" : `; one that begins with "-" is written ${spelling}${spelling.startsWith("--") ? "=" : ""}${printable(next)}`}.`,
      )
    if (attached === undefined) i++
    flags.push(`${longName(option)}=:${attached ?? next}`)
  }
  return { kind: "good", operands, flags, rest: end < 0 ? undefined : args.slice(end + 1) }
}

/** "--option=value" and "-Cvalue" in two; other words have no value attached. */
function split(word: string, options: readonly Option[]): { readonly spelling: string; readonly attached?: string } {
  if (word.startsWith("--")) {
    const equals = word.indexOf("=")
    return equals < 0 ? { spelling: word } : { spelling: word.slice(0, equals), attached: word.slice(equals + 1) }
  }
  const short = word.slice(0, 2)
  const known = options.some((each) => takesValue(each) && spellings(each).includes(short))
  return known && word.length > 2 ? { spelling: short, attached: word.slice(2) } : { spelling: word }
}

function unknown(spelling: string, command: Command | undefined): string {
  const of = command === undefined ? "treeshot" : `treeshot ${command.name}`
  const before = command === undefined ? "; the options of a command stand after its name" : ""
  return `There is no option ${printable(spelling)}${before}. ${of} --help lists them`
}

function wordsOf(parser: CAC, { operands, flags, rest }: Tokens): Words {
  const read = parser.parse(["", "", ...operands, ...flags], { run: false })
  const options: Readonly<Record<string, unknown>> = read.options
  const of = (option: string): string[] =>
    [options[camelCase(option)]]
      .flat()
      .filter((value) => typeof value === "string")
      .map((value) => value.slice(1))
  return {
    operands: read.args,
    rest,
    // cac reads "--no-open" as an option "open" that is false then, and true otherwise.
    has: (option) =>
      option.startsWith("no-")
        ? options[camelCase(option.slice(3))] === false
        : options[camelCase(option)] !== undefined,
    value: (option) => of(option)[0],
    values: of,
  }
}

function checkOperands(command: Command, words: Words): void {
  const operands = command.operands.split(" ").filter((each) => each !== "")
  const missing = operands.filter((each) => each.startsWith("<"))[words.operands.length]
  if (missing !== undefined)
    throw wrongUse(
      missing.slice(1, -1),
      `${command.name} needs a ${missing}, such as "latest". treeshot ${command.name} --help tells more.`,
    )
  const given = [...words.operands, ...(command.takesPaths ? [] : (words.rest ?? []))]
  const extra = given[operands.length]
  if (extra !== undefined)
    throw wrongUse(
      "arguments",
      `"${printable(extra)}" is one argument too many for ${command.name}${command.takesPaths ? '; paths stand after "--"' : ""}.`,
    )
}

function takesValue(option: Option): boolean {
  return option.usage.includes("<")
}

/** "-U, --context <lines>": "-U" and "--context". */
function spellings(option: Option): string[] {
  return option.usage.replace(/ <.*/, "").split(", ")
}

function longName(option: Option): string {
  return spellings(option).at(-1) as string
}

function camelCase(name: string): string {
  return name.replace(/-([a-z])/g, (_, letter: string) => letter.toUpperCase())
}

const HELP_OPTIONS: readonly Option[] = [
  { usage: "-h, --help", text: "" },
  { usage: "-V, --version", text: "" },
]
