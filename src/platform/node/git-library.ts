/*
 * What is used of isomorphic-git, in a module of its own: the build puts this much of it into the package, where all of
 * it would take Node ten times as long to load, with the event loop held up meanwhile.
 */
export { writeCommit, writeTree } from "isomorphic-git"
