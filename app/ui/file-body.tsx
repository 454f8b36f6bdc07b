import type { JSX } from "preact"
import { useState } from "preact/hooks"
import type { Change, FileDiff } from "../../src/snapshot-store.js"
import type { Loaded } from "../model/loaded.js"
import { cutPatch } from "../model/cut-patch.js"
import { fileWords } from "../model/file-words.js"
import { count } from "../model/text.js"
import { Button } from "./button.js"
import { PatchLines } from "./patch-lines.js"

interface FileBodyProps {
  readonly change: Change
  readonly patch: Loaded<FileDiff | undefined>
}

/** What a file's lines cannot show in words, then its lines: of very many the first. */
export function FileBody({ change, patch }: FileBodyProps): JSX.Element {
  const [most, setMost] = useState(FIRST_LINES)
  if (patch.state === "loading") return <div class="file-words waiting">Reading …</div>
  if (patch.state === "failed") return <div class="file-words">{patch.problem.message}</div>
  const diff = patch.value
  if (diff === undefined) return <div class="file-words">It is as it was by now.</div>
  const words = fileWords(diff)
  const { text, linesLeft } = diff.binary ? { text: "", linesLeft: 0 } : cutPatch(diff.patch, most)
  return (
    <>
      {words.length > 0 && (
        <div class="file-words">
          {words.map((sentence) => (
            <p key={sentence}>{sentence}</p>
          ))}
        </div>
      )}
      {text !== "" && <PatchLines path={change.path} patch={text} />}
      {linesLeft > 0 && (
        <div class="file-words more">
          <p>A large change: {count(linesLeft, "line")} more.</p>
          <Button
            label={`Show ${count(Math.min(linesLeft, MORE_LINES), "line")} more`}
            onPress={() => setMost(most + MORE_LINES)}
          />
        </div>
      )}
    </>
  )
}

const FIRST_LINES = 400
const MORE_LINES = 1_000
