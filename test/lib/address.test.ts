import { describe, expect, it } from "vitest";
import { addressOfUrl, formatAddress, isLoopback, parseAddress } from "../../src/lib/address.ts";

describe("parseAddress()", () => {
  it.each([
    ["127.0.0.1:8080", "127.0.0.1", 8080],
    ["127.0.0.1:0", "127.0.0.1", 0],
    ["0.0.0.0:65535", "0.0.0.0", 65_535],
    ["[::1]:8080", "::1", 8080],
    ["[::]:80", "::", 80],
    ["localhost:1", "localhost", 1],
    ["my-host.example:443", "my-host.example", 443],
  ])("reads %s, and formatAddress() writes it", (text, host, port) => {
    expect(parseAddress(text)).toEqual({ host, port });
    expect(formatAddress({ host, port })).toBe(text);
  });

  const form = "must be host:port, with an IPv6 host in brackets, such as 127.0.0.1:8080 or [::1]:8080";
  const notHost = "has a host that is neither an IP address nor a host name";
  it.each([
    ["", form],
    ["8080", form],
    ["127.0.0.1", form],
    ["127.0.0.1:", form],
    ["127.0.0.1:http", form],
    ["127.0.0.1:-1", form],
    ["127.0.0.1:8080 ", form],
    ["::1:8080", form],
    ["::1", form],
    ["http://localhost:80", form],
    ["[::1]", form],
    [":8080", "has no host; put 127.0.0.1 before the colon"],
    ["127.0.0.1:65536", "has port 65536, which must be <= 65535"],
    ["[127.0.0.1]:1", "must have an IPv6 address in its brackets"],
    ["[]:1", "must have an IPv6 address in its brackets"],
    ["256.0.0.1:1", notHost],
    ["127.1:1", notHost],
    ["0x7f000001:1", notHost],
    ["2130706433:1", notHost],
    ["a b:1", notHost],
    ["*:1", notHost],
    ["-a:1", notHost],
    [`${"a".repeat(64)}:1`, notHost],
  ])("rejects %j", (text, why) => {
    expect(() => parseAddress(text)).toThrow(new Error(`${JSON.stringify(text)} ${why}`));
  });
});

describe("isLoopback()", () => {
  it.each([
    ["127.0.0.1", true],
    ["127.255.0.9", true],
    ["::1", true],
    ["0:0:0:0:0:0:0:1", true],
    ["::ffff:127.0.0.1", true],
    ["localhost", true],
    ["LOCALHOST", true],
    ["localhost.", true],
    ["0.0.0.0", false],
    ["::", false],
    ["126.0.0.1", false],
    ["128.0.0.1", false],
    ["::ffff:10.0.0.1", false],
    ["fe80::1", false],
    ["localhost.example", false],
    ["my-localhost", false],
  ])("is for %s %s", (host, expected) => {
    expect(isLoopback(host)).toBe(expected);
  });
});

describe("addressOfUrl()", () => {
  it.each([
    ["https://api.example/v1", { host: "api.example", port: 443 }],
    ["http://api.example", { host: "api.example", port: 80 }],
    ["https://api.example:8443/v1?a=b", { host: "api.example", port: 8443 }],
    ["http://[::1]:8080/v1", { host: "::1", port: 8080 }],
    ["HTTP://LOCALHOST:80", { host: "localhost", port: 80 }],
    ["ftp://api.example", undefined],
    ["api.example", undefined],
    ["", undefined],
  ])("reads %j", (url, address) => {
    expect(addressOfUrl(url)).toEqual(address);
  });
});
