export { memfs } from "memfs"
