/*
 * Child processes that settle, and one that is kept running. Imports core and this folder, and nothing but Node.
 */
export {
  electronLauncher,
  type ElectronChild,
  type ElectronForkOptions,
  type ElectronLauncherOptions,
  type ElectronUtilityProcess,
} from "./electron-launcher.js"
export type {
  ExitInitiator,
  ExitReason,
  ExitRecord,
  NoRestart,
  RestartDecision,
  SidecarPhase,
  StopStep,
} from "./exit-record.js"
export { forkLauncher } from "./fork-launcher.js"
export { runGit, type GitRunOptions } from "./git.js"
export type { Variables } from "./git-environment.js"
export type { AskHealth, HealthTarget } from "./health-check.js"
export type { InputOutcome, ProcessKind, ProcessResult, SpawnFailureReason } from "./process-result.js"
export type { ByteStream } from "./read-stderr.js"
export { requireSuccess } from "./require-success.js"
export { run } from "./run.js"
export type { RunOptions } from "./run-options.js"
export { sidecarChild, type SidecarChild, type SidecarChildOptions } from "./sidecar-child.js"
export type { SidecarClock } from "./sidecar-clock.js"
export type { LaunchedSidecar, LaunchEvents, LaunchOrder, ProcessExit, SidecarLauncher } from "./sidecar-launcher.js"
export type { CurrentSidecar, SidecarEvents, SidecarState, StateChange, StderrLine } from "./sidecar-state.js"
export { SidecarSupervisor } from "./supervisor.js"
export type { SidecarLimits, SidecarOptions } from "./supervisor-options.js"
