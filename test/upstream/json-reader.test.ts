import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Reason } from "../../src/gen/parley/errors/v1/errors_pb.ts";
import { createJsonReader } from "../../src/upstream/json-reader.ts";
import { errorOf } from "../providers/google/support.ts";

/** The data of the events of a body that comes in pieces of so many bytes. */
function read(body: string, isList: boolean, bytes = body.length * 4): string[] {
  const reader = createJsonReader("tiny", isList);
  const all = Buffer.from(body);
  const events = [];
  for (let at = 0; at < all.length; at += bytes) events.push(...reader.push(all.subarray(at, at + bytes)));
  return [...events, ...reader.finish()].map(({ data }) => data);
}

const HARD = '{"a": "]} \\" \\\\", "é😀": [1, {"b": []}]}';

describe("createJsonReader()", () => {
  it.each([
    ["an object", HARD, false, [HARD]],
    ["an object in white space", ` \r\n\t${HARD}\n `, false, [HARD]],
    ["an object behind a byte order mark", `\ufeff${HARD}`, false, [HARD]],
    ["a list that is one value", `[${HARD}, {}]`, false, [`[${HARD}, {}]`]],
    ["a list of events", `[${HARD},{}]`, true, [HARD, "{}"]],
    ["a list over many lines", `[{\n  "a": 1\n}\n,\r\n{\n  "b": 2\n}\n]\n`, true, ['{\n  "a": 1\n}', '{\n  "b": 2\n}']],
    ["an empty list", "[]", true, []],
    ["one event instead of a list", HARD, true, [HARD]],
  ])("reads %s, however it is cut", (_name, body, isList, events) => {
    expect([undefined, 1, 2, 3, 7].map((bytes) => read(body, isList, bytes))).toEqual(Array(5).fill(events));
  });

  it("finds the elements of any list, however it is written and cut", () => {
    const lists = fc.array(fc.dictionary(fc.string({ unit: "binary" }), fc.jsonValue({ maxDepth: 3 })), {
      maxLength: 4,
    });
    fc.assert(
      fc.property(lists, fc.nat({ max: 3 }), fc.integer({ min: 1, max: 40 }), (list, indent, bytes) => {
        const values = read(JSON.stringify(list, null, indent), true, bytes).map((data) => JSON.parse(data) as unknown);
        expect(values).toEqual(JSON.parse(JSON.stringify(list)));
      }),
    );
  });

  it("is cut where any list is", () => {
    const lists = fc.array(fc.dictionary(fc.string(), fc.jsonValue({ maxDepth: 3 })), { maxLength: 4 });
    fc.assert(
      fc.property(lists, fc.nat(), (list, at) => {
        const body = JSON.stringify(list);
        expect(errorOf(() => read(body.slice(0, at % body.length), true, 5)).reason).toBe(
          Reason.UPSTREAM_STREAM_INTERRUPTED,
        );
      }),
    );
  });

  it("says an element of a list as soon as it is whole", () => {
    const reader = createJsonReader("tiny", true);
    const push = (text: string) => reader.push(Buffer.from(text)).map(({ data }) => data);
    expect([push('[{"a":1'), push("},"), push("\n{}"), push("]")]).toEqual([[], ['{"a":1}'], ["{}"], []]);
  });

  it.each([
    ["nothing", "", true],
    ["white space", " \n", false],
    ["half an object", '{"a": "}"', false],
    ["a list without its end", '[{"a":1}', true],
    ["a list that ends in an element", '[{"a":1},{"b"', true],
    ["a list that ends after a comma", '[{"a":1},', true],
  ])("takes %s for an answer that is cut", (_name, body, isList) => {
    expect(errorOf(() => read(body, isList)).reason).toBe(Reason.UPSTREAM_STREAM_INTERRUPTED);
  });

  it.each([
    ["a word", "nonsense", false],
    ["a text", '"a"', true],
    ["a list of other things", "[1]", true],
    ["two objects", "{}{}", false],
    ["something after a list", "[{}] {}", true],
  ])("refuses %s", (_name, body, isList) => {
    expect(errorOf(() => read(body, isList)).reason).toBe(Reason.UPSTREAM_INVALID_RESPONSE);
  });

  it("refuses a value that is larger than it may be", () => {
    const reader = createJsonReader("tiny", true, 10);
    reader.push(Buffer.from("[{},{},{},{},{}"));
    reader.push(Buffer.from(',{"a":'));
    expect(errorOf(() => reader.push(Buffer.from("123456"))).message).toMatch(/more than 10 bytes/);
  });
});
