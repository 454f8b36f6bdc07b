import { styleText } from "node:util"

/** How a piece of text looks on a terminal with colours. */
export type Style = "bold" | "dim" | "red" | "green" | "yellow" | "cyan" | "magenta"

/** Where a command writes to. */
export interface Screen {
  /** One JSON document on stdout, and nothing on stderr. */
  readonly json: boolean
  /** Columns of the terminal on stdout; Infinity when it is none. */
  readonly columns: number
  /** Whether stdout is a terminal. */
  readonly isTerminal: boolean
  /** Lines to stdout. */
  print(...lines: readonly string[]): void
  /** Exact bytes to stdout. */
  printBytes(bytes: Uint8Array): void
  /** `document` as JSON to stdout; times as ISO 8601. */
  printJson(document: unknown): void
  /** Lines to stderr, where a program that reads stdout does not meet them. */
  note(...lines: readonly string[]): void
  /** `text` in this style when stdout is a terminal with colours. */
  paint(style: Style, text: string): string
}

/** The screen of a process. NO_COLOR, FORCE_COLOR and TERM decide on colours. */
export function processScreen(from: NodeJS.Process, json: boolean): Screen {
  const { stdout, stderr } = from
  const noColor = from.env["NO_COLOR"]
  const colours = stdout.isTTY && !noColor && stdout.hasColors()
  return {
    json,
    columns: stdout.isTTY ? stdout.columns || 80 : Infinity,
    isTerminal: stdout.isTTY,
    print: (...lines) => {
      if (lines.length > 0) stdout.write(`${lines.join("\n")}\n`)
    },
    printBytes: (bytes) => {
      if (bytes.length > 0) stdout.write(bytes)
    },
    printJson: (document) => {
      stdout.write(`${JSON.stringify(document, undefined, 2)}\n`)
    },
    note: (...lines) => {
      if (lines.length > 0) stderr.write(`${lines.join("\n")}\n`)
    },
    paint: (style, text) => (colours ? styleText(style, text, { validateStream: false }) : text),
  }
}
