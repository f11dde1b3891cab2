import { describe, expect, it } from "vitest";
import { encodeStatusMessage } from "../../src/rpc/status-message.ts";

describe("encodeStatusMessage()", () => {
  it.each([
    ["what stands in messages[0].content, or so: 1/2 = 50 + x?", undefined],
    ["!\"#$&'()*+,-./:;<=>?@[\\]^_`{|}~", undefined],
    ["100 %", "100 %25"],
    ["%2F", "%252F"],
    ["a\nb\tc\u007f", "a%0Ab%09c%7F"],
    ["Grüße 👋🏽", "Gr%C3%BC%C3%9Fe %F0%9F%91%8B%F0%9F%8F%BD"],
    [" at both ends  ", "%20at both ends %20"],
    ["", undefined],
  ])("%j", (message, encoded = message) => {
    expect(encodeStatusMessage(message)).toBe(encoded);
    expect(decodeURIComponent(encoded)).toBe(message);
  });
});
