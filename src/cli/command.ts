import type { OnProgress, SnapshotStore } from "../snapshot-store.js"
import type { Confirm } from "./question.js"
import type { Screen } from "./screen.js"

/** An option as help shows it and the command line takes it, such as "-U, --context <lines>". */
export interface Option {
  /** Its spellings, and its value in angle brackets when it takes one. */
  readonly usage: string
  /** What it does, in one line. */
  readonly text: string
  /** May be given more than once. */
  readonly repeatable?: boolean
}

/** A command: what help tells of it, and what it does. */
export type Command = StoreCommand | ApartCommand

/** A command that works with one store, which is opened for it. */
export interface StoreCommand extends CommandHelp {
  readonly apart?: undefined
  /** Checks all that was given, before a store is opened: INVALID_ARGUMENT. */
  prepare(words: Words): Action
}

/** A command for which no store is opened. */
export interface ApartCommand extends CommandHelp {
  readonly apart: true
  /** Checks all that was given: INVALID_ARGUMENT. */
  prepare(words: Words): ApartAction
}

/** What help tells of a command, and how its command line is read. */
export interface CommandHelp {
  readonly name: string
  /** Its positional arguments: "<rev> [path]". */
  readonly operands: string
  /** Takes paths after "--". */
  readonly takesPaths?: boolean
  /** One line for the list of commands. */
  readonly summary: string
  /** What a person has to know to use it; lines of 76 characters at most. */
  readonly about: string
  readonly options: readonly Option[]
  /** Command lines without the program's name, each with what it does. */
  readonly examples: readonly (readonly [line: string, meaning: string])[]
}

/** What a command does once the store is open. Gives the exit status. */
export type Action = (session: Session) => Promise<number>

/** What a command does without one. Gives the exit status. */
export type ApartAction = (surroundings: Surroundings) => Promise<number>

/** A command line that was taken apart; every value is the very text that was given. */
export interface Words {
  readonly operands: readonly string[]
  /** What stands after "--"; undefined without it. */
  readonly rest: readonly string[] | undefined
  /** Whether the option is given. Options go by their long names. */
  has(option: string): boolean
  /** The value of an option; undefined when it is not given. */
  value(option: string): string | undefined
  /** The values of an option that may be repeated. */
  values(option: string): readonly string[]
}

/** What an action works with. */
export interface Session extends Surroundings {
  readonly store: SnapshotStore
  /** A path as the user names it, as the store takes it: INVALID_ARGUMENT when it leaves the work tree. */
  toStorePath(path: string): string
}

/** What every action works with. */
export interface Surroundings {
  readonly screen: Screen
  /** Aborted by Ctrl-C. */
  readonly signal: AbortSignal
  readonly onProgress: OnProgress
  /** Takes the progress bar off the screen, before anything is printed. */
  finishProgress(): void
  /** Undefined where nobody is there to answer, and for programs. */
  readonly confirm: Confirm | undefined
  readonly now: Date
  /** A command line to try next, with the options that select this store. */
  suggest(...words: readonly string[]): string
}
