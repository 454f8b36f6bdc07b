/* memfs derives its streams from these when it is loaded; the tests use none. */
export class Readable {}
export class Writable {}
