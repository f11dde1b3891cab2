import packageJson from "../../package.json" with { type: "json" };

const [, , ...words] = packageJson.scripts.start.split(" ");

/** What `npm start` gives to node: its options, the program and the program's arguments. */
export const START_ARGUMENTS: readonly string[] = words;

/** Its options alone. */
export const NODE_FLAGS: readonly string[] = words.filter((word) => word.startsWith("--"));

/** Its options, and what runs programs in TypeScript. Every server that is compared runs with them. */
export const NODE_OPTIONS: readonly string[] = [...NODE_FLAGS, "--import", "tsx/esm"];
