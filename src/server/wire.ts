/**
 * A type of the contract as JSON has it: dates are texts, and what may be left out may be undefined. Schemas are declared
 * with it, so that the compiler holds them to the contract.
 */
export type Wire<Value> = Value extends Date
  ? string
  : Value extends readonly (infer Item)[]
    ? Wire<Item>[]
    : Value extends object
      ? { -readonly [Key in keyof Value]: Wire<Value[Key]> | (object extends Pick<Value, Key> ? undefined : never) }
      : Value

/** The object without what is undefined in it: options as the contract takes them. */
export function defined<Shape extends object>(shape: Shape): Defined<Shape> {
  return Object.fromEntries(Object.entries(shape).filter(([, value]) => value !== undefined)) as Defined<Shape>
}

type Defined<Shape> = { [Key in keyof Shape]: Exclude<Shape[Key], undefined> }
