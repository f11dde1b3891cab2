import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { sniffMime } from "../../src/providers/sniff.ts";

const latin1 = (text: string): Uint8Array => Buffer.from(text, "latin1");
const box = (brand: string): string => `\0\0\0\x18ftyp${brand}\0\0\0\0mif1`;
const page = (codec: string): string => `OggS\0\x02${"\0".repeat(20)}\x01\x1e${codec}`;

describe("sniffMime()", () => {
  it.each([
    ["\x89PNG\r\n\x1a\n\0\0\0\rIHDR", "image/png"],
    ["\xff\xd8\xff\xe0\0\x10JFIF", "image/jpeg"],
    ["GIF87a\x01\0", "image/gif"],
    ["GIF89a\x01\0", "image/gif"],
    ["RIFF\x10\0\0\0WEBPVP8 ", "image/webp"],
    ["BM\x46\0\0\0\0\0\0\0\x36\0\0\0", "image/bmp"],
    ["II*\0\x08\0\0\0", "image/tiff"],
    ["MM\0*\0\0\0\x08", "image/tiff"],
    ['<svg xmlns="http://www.w3.org/2000/svg">', "image/svg+xml"],
    [box("heic"), "image/heic"],
    [box("heix"), "image/heic"],
    [box("mif1"), "image/heif"],
    [box("avif"), "image/avif"],
    ["%PDF-1.7\n", "application/pdf"],
    ["RIFF\x10\0\0\0WAVEfmt ", "audio/wav"],
    ["ID3\x03\0\0\0", "audio/mpeg"],
    ["\xff\xfb\x90\x44", "audio/mpeg"],
    ["\xff\xf1\x50\x80", "audio/aac"],
    ["fLaC\0\0\0\x22", "audio/flac"],
    ["FORM\0\0\0\0AIFFCOMM", "audio/aiff"],
    [page("OpusHead"), "audio/ogg"],
    [page("\x01vorbis"), "audio/ogg"],
    [box("M4A "), "audio/mp4"],
    [page("\x80theora"), "video/ogg"],
    [box("isom"), "video/mp4"],
    [box("mp42"), "video/mp4"],
    [box("qt  "), "video/quicktime"],
    [box("3gp5"), "video/3gpp"],
    ["\x1aE\xdf\xa3\x9fB\x86\x81\x01B\x82\x84webm", "video/webm"],
    ["\x1aE\xdf\xa3\x9fB\x86\x81\x01B\x82\x88matroska", "video/x-matroska"],
    ["RIFF\x10\0\0\0AVI LIST", "video/x-msvideo"],
    ["\0\0\x01\xba\x44", "video/mpeg"],
    ["PK\x03\x04\x14\0", "application/zip"],
    ["\x1f\x8b\x08\0", "application/gzip"],
    ["<!DOCTYPE html><html>", "text/html"],
    ["\n  <HTML lang=en>", "text/html"],
    ["\xef\xbb\xbf<!doctype HTML>", "text/html"],
  ])("knows %j as %s", (text, type) => {
    expect(sniffMime(latin1(text))).toBe(type);
  });

  it.each([
    "",
    "B",
    "Green is a colour",
    "BMW is a car",
    "{}",
    "[1]",
    "plain text",
    "<p>",
    "\0\0\0\0",
    "RIFF\x10\0\0\0CDDA",
    "\xef\xbb\xbftext",
  ])("does not guess at %j", (text) => {
    expect(sniffMime(latin1(text))).toBeUndefined();
  });

  it("says something or nothing of any bytes", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 600 }), (bytes) => {
        expect(sniffMime(bytes) ?? "none/none").toMatch(/^\w+\/[\w.+-]+$/);
      }),
    );
  });

  it("does not look beyond the array into the memory behind it", () => {
    const memory = latin1("xx%PDF-1.7 <html>");
    expect(sniffMime(memory.subarray(2, 4))).toBeUndefined();
    expect(sniffMime(memory.subarray(2))).toBe("application/pdf");
  });
});
