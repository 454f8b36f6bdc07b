/*
 * Child processes that settle. Imports core and this folder, and nothing but Node.
 */
export { runGit, type GitRunOptions } from "./git.js"
export type { Variables } from "./git-environment.js"
export type { InputOutcome, ProcessKind, ProcessResult, SpawnFailureReason } from "./process-result.js"
export { requireSuccess } from "./require-success.js"
export { run } from "./run.js"
export type { RunOptions } from "./run-options.js"
