/**
 * Thrown inside the sampler where a schema cannot be satisfied or is not understood; `sampleSchema` turns it into its
 * answer. `pointer` is the place in the schema as a JSON Pointer fragment (`#/properties/city`). A final one ends the
 * whole search (a bound was reached); any other only rules out the branch that was being tried.
 */
export class SchemaRefusal extends Error {
  override readonly name = "SchemaRefusal";
  readonly pointer: string;
  readonly final: boolean;

  constructor(pointer: string, reason: string, final = false) {
    super(reason);
    this.pointer = pointer;
    this.final = final;
  }
}
