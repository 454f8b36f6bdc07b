/** Cuts what a process prints into lines, and keeps the last of them. */
export class StderrTail {
  readonly #decoder = new TextDecoder("utf-8", { ignoreBOM: true })
  readonly #onLine: (line: string) => void
  readonly #lines: string[] = []
  #rest = ""

  constructor(onLine: (line: string) => void) {
    this.#onLine = onLine
  }

  /** The last lines, the oldest first. */
  get lines(): readonly string[] {
    return [...this.#lines]
  }

  take(chunk: Uint8Array): void {
    this.#split(this.#decoder.decode(chunk, { stream: true }))
  }

  /** Nothing more comes: what is left is a line, too. */
  end(): void {
    this.#split(this.#decoder.decode())
    if (this.#rest !== "") this.#keep(this.#rest)
    this.#rest = ""
  }

  #split(text: string): void {
    const lines = (this.#rest + text).split("\n")
    // A line without an end is kept as far as it will be shown.
    this.#rest = (lines.pop() ?? "").slice(0, LINE_LENGTH)
    for (const line of lines) this.#keep(line.replace(/\r$/, ""))
  }

  #keep(line: string): void {
    const kept = line.slice(0, LINE_LENGTH)
    this.#lines.push(kept)
    if (this.#lines.length > LINES) this.#lines.shift()
    this.#onLine(kept)
  }
}

const LINES = 40
const LINE_LENGTH = 2000
