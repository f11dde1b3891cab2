import type { DescMessage, Message } from "@bufbuild/protobuf";
import type { Absent } from "../gen/parley/options/v1/options_pb.ts";
import type { ListValues } from "./values.ts";
import type { EnumWords } from "./words.ts";

/** What a message is in JSON. */
export interface MessagePlan {
  readonly desc: DescMessage;
  /** Makes a message in which nothing is set. */
  readonly blank: () => Message;
  /** Lists the values of its members; parts say which of them is theirs. */
  readonly valuesOf: ListValues;
  /** Keys that always have the same string. They are written first. */
  readonly constants: readonly { readonly key: string; readonly value: string }[];
  /** In the order in which they are declared, and written. */
  readonly parts: readonly (FieldPlan | UnionPlan)[];
  readonly unions: readonly UnionPlan[];
  readonly hasDiscriminators: boolean;
  /** What each key means. The keys of a union's inline members are in the plans of their messages. */
  readonly slots: ReadonlyMap<string, Slot>;
  /** Property of the Struct that holds the keys which are not known, and which of the values that is. */
  readonly catchAll: string | undefined;
  readonly catchAllAt: number;
  /** The union whose bare member stands for the whole message. */
  readonly bareUnion: BareUnionPlan | undefined;
}

/** What a key of an object means. */
export type Slot =
  | { readonly kind: "constant"; readonly value: string }
  | { readonly kind: "discriminator"; readonly union: UnionPlan }
  | { readonly kind: "field"; readonly field: FieldPlan }
  | { readonly kind: "member"; readonly union: UnionPlan; readonly member: MemberPlan };

/** A field that is in no union. */
export interface FieldPlan {
  readonly kind: "single" | "list" | "map";
  readonly key: string;
  /** Property of the message, and which of its values that is. */
  readonly name: string;
  readonly at: number;
  /** Of a single field, an element, or an entry. */
  readonly value: ValuePlan;
  /** Whether zero says that the field is unset: that of an enum without presence, unless it has a word. */
  readonly zeroIsUnset: boolean;
  readonly absent: Absent;
  /** Property whose field, when it is set, makes this one null when it is unset. */
  readonly nullBeside: string | undefined;
  readonly nullBesideAt: number;
  /** Whether anything may be written for it when it is unset. */
  readonly hasAbsentForm: boolean;
  /** On a list: a bare value stands for a list of one. */
  readonly shorthand: boolean;
  /** On a map: what its keys are. */
  readonly mapKey: ValuePlan | undefined;
}

/** What a message holds in the place of a oneof. */
export interface Held {
  /** Name of the member that is set. */
  readonly case: string | undefined;
  readonly value?: unknown;
}

/** A oneof. */
export interface UnionPlan {
  readonly kind: "union";
  /** Property of the message, and which of its values that is. */
  readonly name: string;
  readonly at: number;
  readonly discriminator: string | undefined;
  readonly inline: boolean;
  readonly bare: MemberPlan | undefined;
  /** Whether the bare member has no other form, because the message has nothing besides this union. */
  readonly alwaysBare: boolean;
  readonly byCase: ReadonlyMap<string, MemberPlan>;
  /** The members that an object can have, by their keys, which are also the discriminator's words. */
  readonly byKey: ReadonlyMap<string, MemberPlan>;
}

/** A union with a member that is written bare. */
export type BareUnionPlan = UnionPlan & { readonly bare: MemberPlan };

/** A field of a oneof. */
export interface MemberPlan {
  /** The oneof's `case`. */
  readonly name: string;
  readonly key: string;
  readonly value: ValuePlan;
  /** Whether its message has no fields: it then needs no key besides the discriminator. */
  readonly hollow: boolean;
  /** The member that holds the same JSON as text, and so all digits of its numbers. */
  readonly textTwin: MemberPlan | undefined;
}

/** What a value is in JSON. */
export type ValuePlan =
  | { readonly kind: "string" | "bool" | "bytes" | "struct" | "duration" | "timestamp" | "json_text" }
  | { readonly kind: "double"; readonly single: boolean }
  | { readonly kind: "int"; readonly least: number; readonly most: number }
  /** A bigint; with `asString` a decimal string. */
  | { readonly kind: "long"; readonly least: bigint; readonly most: bigint; readonly asString: boolean }
  | { readonly kind: "enum"; readonly words: EnumWords }
  /** google.protobuf.Value or ListValue. */
  | { readonly kind: "json"; readonly desc: DescMessage; readonly list: boolean }
  | { readonly kind: "message"; readonly plan: MessagePlan };
