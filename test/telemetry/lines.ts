/** Collects the lines that a logger writes. */
export function createLines(): { write(text: string): void; all(): unknown[] } {
  let written = "";
  return {
    write(text) {
      written += text;
    },
    all: () => written.split("\n").flatMap((line): unknown[] => (line === "" ? [] : [JSON.parse(line)])),
  };
}
