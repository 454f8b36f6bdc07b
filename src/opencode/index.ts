/*
 * The snapshots of OpenCode on a store of this library. Imports open-store, the contract and core.
 */
export {}
