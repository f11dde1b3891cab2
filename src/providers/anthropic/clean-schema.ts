import type { JsonObject, JsonValue } from "@bufbuild/protobuf";
import type { Adjustment } from "../../gen/parley/chat/v1/report_pb.ts";
import { isObject } from "../../openai-json/is-object.ts";
import { mapped } from "../adjustment.ts";

/** A schema as Anthropic takes it. */
export interface CleanSchema {
  readonly schema: JsonObject;
  /** Bounds that Anthropic cannot hold a model to, and that the descriptions now ask for. */
  readonly adjustments: readonly Adjustment[];
  /** Why the schema cannot be kept: data would be lost; undefined: it can. */
  readonly lossy: string | undefined;
}

/** Formats that Anthropic knows. */
const FORMATS = ["date-time", "time", "date", "duration", "email", "hostname", "uri", "ipv4", "ipv6", "uuid"];
/** Keywords that are taken as they are. */
const KEPT = new Set(["type", "required", "$ref", "title", "description", "default"]);
/** Keywords that say nothing about values, and nothing to a model. */
const SILENT = new Set(["$schema", "$id", "$anchor", "$comment"]);
/** Keywords that hold a value to nothing, and may say something to a model. */
const NOTES = new Set(["examples", "example", "deprecated", "readOnly", "writeOnly"]);
/** Most properties of a whole schema that are not required. */
const MAX_OPTIONAL = 24;

/**
 * Makes the schema that Anthropic takes of any: objects are closed, and what it does not know is moved into the descriptions. The
 * caller's object stays as it is. `path`: of the schema.
 */
export function cleanSchema(schema: JsonObject, path: string): CleanSchema {
  const cleaner = new Cleaner(schema);
  const clean = cleaner.clean(schema, path);
  if (cleaner.optional > MAX_OPTIONAL)
    cleaner.lose(path, `it has more than ${MAX_OPTIONAL} properties that are not required`);
  return { schema: clean, adjustments: cleaner.adjustments, lossy: cleaner.lossy };
}

class Cleaner {
  readonly adjustments: Adjustment[] = [];
  lossy: string | undefined;
  optional = 0;

  constructor(root: JsonObject) {
    if (hasCycle(root)) this.lose("", "it refers to itself");
  }

  lose(path: string, why: string): void {
    this.lossy ??= path === "" ? why : `${path}: ${why}`;
  }

  clean(node: JsonValue | undefined, path: string): JsonObject {
    if (node === true) return {};
    if (!isObject(node)) {
      this.lose(path, "it lets no value pass");
      return {};
    }
    const merged = this.#mergeAllOf(node, path);
    const clean: JsonObject = {};
    const moved: string[] = [];
    for (const [key, value] of Object.entries(merged)) {
      const place = `${path}.${key}`;
      if (KEPT.has(key) || (key === "enum" && isListOfScalars(value)) || (key === "const" && isScalar(value)))
        clean[key] = key === "$ref" ? this.#reference(value, place) : value;
      else if (key === "properties" || key === "$defs" || key === "definitions") {
        // Draft 7 names the definitions otherwise.
        const name = key === "definitions" ? "$defs" : key;
        clean[name] = { ...(isObject(clean[name]) ? clean[name] : {}), ...this.#named(value, place) };
      } else if (key === "items" && !Array.isArray(value)) clean["items"] = this.clean(value, place);
      else if ((key === "anyOf" || key === "oneOf") && Array.isArray(value))
        clean["anyOf"] = value.map((one, index) => this.clean(one, `${place}[${index}]`));
      else if (key === "format" && FORMATS.includes(value as string)) clean["format"] = value;
      else if (key === "minItems" && (value === 0 || value === 1)) clean["minItems"] = value;
      else if (key === "patternProperties") this.lose(place, "its names are not known before");
      else if (key !== "additionalProperties" && !SILENT.has(key)) {
        moved.push(`${key}: ${JSON.stringify(value)}`);
        if (!NOTES.has(key)) {
          const why = "Anthropic cannot hold a model to it: the description asks for it";
          this.adjustments.push(mapped(place, why, value, "description"));
        }
      }
    }
    this.#close(merged, clean, path);
    if (moved.length > 0) {
      const said = typeof clean["description"] === "string" ? `${clean["description"]}\n` : "";
      clean["description"] = `${said}{${moved.join(", ")}}`;
    }
    return this.#setApart(clean, path);
  }

  /** A reference stands alone: what stands beside it moves around it. Definitions stay where references find them. */
  #setApart({ $ref, ...rest }: JsonObject, path: string): JsonObject {
    if ($ref === undefined) return rest;
    if (Object.keys(rest).every((key) => key === "$defs")) return { $ref, ...rest };
    if (rest["anyOf"] !== undefined) this.lose(path, "several schemas cannot be asked for at once");
    return { anyOf: [{ $ref }], ...rest };
  }

  /** Closes an object. One that is open on purpose would lose what it is made for. */
  #close(node: JsonObject, clean: JsonObject, path: string): void {
    const { type, properties, additionalProperties, required } = node;
    const isOfObject =
      type === "object" || (Array.isArray(type) && type.includes("object")) || properties !== undefined;
    if (!isOfObject) return;
    const names = isObject(properties) ? Object.keys(properties) : [];
    const isOpen = additionalProperties !== undefined && additionalProperties !== false;
    if (isOpen) this.lose(`${path}.additionalProperties`, "objects cannot have names that are not known before");
    else if (properties === undefined && additionalProperties === undefined)
      this.lose(path, "objects cannot have names that are not known before");
    clean["additionalProperties"] = false;
    const needed = new Set(Array.isArray(required) ? required : []);
    this.optional += names.filter((name) => !needed.has(name)).length;
  }

  #named(value: JsonValue | undefined, path: string): JsonObject {
    if (!isObject(value)) return {};
    // Not by assignment: a property may be called "__proto__".
    return Object.fromEntries(Object.entries(value).map(([name, one]) => [name, this.clean(one, `${path}.${name}`)]));
  }

  #reference(value: JsonValue | undefined, path: string): string {
    const target = String(value);
    if (!/^#\/(?:\$defs|definitions)\//.test(target))
      this.lose(path, "it refers to something else than its definitions");
    return target.replace(/^#\/definitions\//, "#/$defs/");
  }

  /** A single schema of allOf stands for itself, where it contradicts nothing; several cannot be kept. */
  #mergeAllOf(node: JsonObject, path: string): JsonObject {
    const { allOf, ...rest } = node;
    if (allOf === undefined) return node;
    const [only, ...others] = Array.isArray(allOf) ? allOf : [];
    if (!isObject(only) || others.length > 0 || Object.keys(only).some((key) => rest[key] !== undefined)) {
      this.lose(`${path}.allOf`, "several schemas cannot be asked for at once");
      return rest;
    }
    return this.#mergeAllOf({ ...only, ...rest }, path);
  }
}

const isScalar = (value: JsonValue | undefined): boolean => value === null || typeof value !== "object";
const isListOfScalars = (value: JsonValue | undefined): boolean => Array.isArray(value) && value.every(isScalar);

/** Whether a definition leads back to itself. */
function hasCycle(root: JsonObject): boolean {
  const definitions = new Map<string, JsonValue>(
    ["$defs", "definitions"].flatMap((key) => {
      const named = root[key];
      return isObject(named) ? Object.entries(named).map(([name, node]) => [`#/${key}/${name}`, node] as const) : [];
    }),
  );
  const done = new Set<string>();
  const open = new Set<string>();
  const visit = (target: string): boolean => {
    if (open.has(target)) return true;
    if (done.has(target)) return false;
    open.add(target);
    const leadsBack = [...referencesIn(definitions.get(target))].some(visit);
    open.delete(target);
    done.add(target);
    return leadsBack;
  };
  return [...definitions.keys()].some(visit) || [...referencesIn(root)].includes("#");
}

function* referencesIn(node: JsonValue | undefined): Generator<string> {
  if (Array.isArray(node)) for (const one of node) yield* referencesIn(one);
  else if (isObject(node)) {
    for (const [key, value] of Object.entries(node)) {
      if (key === "$ref" && typeof value === "string") yield value;
      else yield* referencesIn(value);
    }
  }
}
