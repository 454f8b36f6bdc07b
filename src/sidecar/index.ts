/*
 * Child processes that settle. Imports core and this folder, and nothing but Node.
 */
export {}
