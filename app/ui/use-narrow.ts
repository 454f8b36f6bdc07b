import { useEffect, useState } from "preact/hooks"

/** Whether the page is too narrow for two columns of code. */
export function useNarrow(): boolean {
  const [isNarrow, setNarrow] = useState(() => NARROW.matches)
  useEffect(() => {
    const listen = (): void => setNarrow(NARROW.matches)
    NARROW.addEventListener("change", listen)
    return () => NARROW.removeEventListener("change", listen)
  }, [])
  return isNarrow
}

const NARROW = matchMedia("(max-width: 720px)")
