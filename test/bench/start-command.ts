import packageJson from "../../package.json" with { type: "json" };

const [, , ...words] = packageJson.scripts.start.split(" ");

/** What `npm start` gives to node: its options, the program and the program's arguments. */
export const START_ARGUMENTS: readonly string[] = words;

/** The options alone. Every server that is compared runs with them. */
export const NODE_OPTIONS: readonly string[] = words.slice(0, words.indexOf("src/main.ts"));
