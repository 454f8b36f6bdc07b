import type { JSX } from "preact"
import { useEffect, useRef, useState } from "preact/hooks"
import { useSession } from "../ui/session-context.js"
import type { Project } from "./project.js"

/** A list of the project's files, and the one that is chosen to be edited. */
export function Editor({ project }: { readonly project: Project }): JSX.Element {
  const { live } = useSession()
  const [path, setPath] = useState("README.md")
  const area = useRef<HTMLTextAreaElement>(null)
  const version = live.version.value
  const paths = project.paths()
  const text = project.read(path)
  // What others write into the file shows here; what is typed has been written already.
  useEffect(() => {
    if (area.current !== null && area.current.value !== (text ?? "")) area.current.value = text ?? ""
  }, [text, version, path])
  return (
    <section class="editor" aria-labelledby="editor-heading">
      <h2 id="editor-heading">The project</h2>
      <ul class="editor-files">
        {paths.map((one) => (
          <li key={one}>
            <button type="button" aria-current={one === path} onClick={() => setPath(one)}>
              {one}
            </button>
          </li>
        ))}
      </ul>
      <label class="editor-text">
        <span>{text === undefined ? `${path} is gone. What you type makes it anew.` : path}</span>
        <textarea
          ref={area}
          spellcheck={false}
          onInput={({ currentTarget }) => {
            project.write(path, currentTarget.value)
            live.look()
          }}
        />
      </label>
    </section>
  )
}
