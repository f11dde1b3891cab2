import { describe, expect, it } from "vitest";
import { faultsOf } from "./support/shape.ts";

const EXAMPLE = { id: "<string>", object: "list", data: [{ n: 123, more: { flag: true } }] };

describe("faultsOf()", () => {
  it.each([
    ["the same shape", { id: "a", object: "list", data: [{ n: 1, more: { flag: false } }], other: 1 }, [], []],
    ["a missing key", { object: "list", data: [{ n: 1, more: { flag: false } }] }, [], ["id is missing"]],
    [
      "another type",
      { id: 1, object: "list", data: [{ n: "1", more: [] }] },
      [],
      ["id is number, not string", "data[].n is string, not number", "data[].more is array, not object"],
    ],
    ["null", { id: null, object: "list", data: [] }, [], ["id is null, not string", "data is empty"]],
    ["another constant", { id: "", object: "model", data: null }, ["data"], ['object is "model", not "list"']],
    ["what is optional", { id: "a", object: "list", data: [{ more: null }] }, ["data[].n", "data[].more"], []],
    ["a later element", { id: "a", object: "list", data: [{ n: 1 }, {}] }, ["data[].more"], ["data[].n is missing"]],
    ["no object", [], [], ["it is array, not object"]],
  ])("%s", (_name, actual, optional, faults) => {
    expect(faultsOf(actual, EXAMPLE, optional)).toEqual(faults);
  });
});
