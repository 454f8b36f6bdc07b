/* memfs derives its streams from these when it is loaded; nobody here uses one. */
export class Readable {}
export class Writable {}
