import type { Differ } from "../../core/differ.js"
import { diffJob, diffsIn, type DiffAnswer } from "./diff-job.js"
import type { JobThread } from "./job-thread.js"

/** Compares lines on a thread. */
export function threadDiffer(thread: JobThread): Differ {
  return {
    expect: () => thread.start(),
    ready: () => thread.ready(),
    async diff(questions, context) {
      const answer = (await thread.ask(diffJob(questions, context))) as DiffAnswer | undefined
      return answer && diffsIn(questions, answer)
    },
  }
}
