import type { FileSystem } from "../../src/core/file-system.js"

/** `inner`, with `before` called ahead of each call of it: somebody else at work on the same folder. */
export function watchedFileSystem(
  inner: FileSystem,
  before: (call: keyof FileSystem, path: string) => void,
): FileSystem {
  return new Proxy(inner, {
    get(target, name): unknown {
      const value: unknown = Reflect.get(target, name)
      if (typeof value !== "function") return value
      return (...args: readonly unknown[]): unknown => {
        before(name as keyof FileSystem, String(args[0]))
        return Reflect.apply(value, target, args)
      }
    },
  })
}
