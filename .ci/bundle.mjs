// Bundles the program to plain JavaScript in `dist`; src/parley.mjs runs it from there, and calls this when it has changed.
// Usage: node .ci/bundle.mjs
import { existsSync, mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs";
import { build } from "esbuild";
import { DIST, describeFile, hashOf, MANIFEST, mainOf, ROOT } from "../src/fresh-bundle.mjs";

/** What the bundle is made of besides the sources of the program: its packages, as npm installed them, and how it is made. */
const CAUSES = ["node_modules/.package-lock.json", "package.json", "tsconfig.json", ".ci/bundle.mjs"];

/** How many bundles stay besides the newest: gateways may run that were started with them, and load more of them. */
const KEPT = 2;

/** How the names of folders begin in which a bundle is being made. */
const UNFINISHED = "unfinished-";

/** After that time nobody works in one any more, in milliseconds. */
const ABANDONED_MS = 3_600_000;

/**
 * Takes these modules of Node's by `process.getBuiltinModule`. To import one as an ES module reads all that it exports, and some of that
 * is only loaded when it is read: for node:http that is a second undici, and a tenth of the start.
 */
const lazyModules = {
  name: "lazy-modules",
  setup({ onResolve, onLoad }) {
    onResolve({ filter: /^(?:node:)?(?:fs|http)$/ }, ({ path, kind }) =>
      kind === "require-call" ? undefined : { path: path.replace("node:", ""), namespace: "node" },
    );
    onLoad({ filter: /^/, namespace: "node" }, ({ path }) => {
      const properties = Object.entries(Object.getOwnPropertyDescriptors(process.getBuiltinModule(path)));
      const loaded = properties.flatMap(([name, { get }]) => (get === undefined ? [name] : []));
      return {
        contents: [
          `const module = process.getBuiltinModule("${path}");`,
          "export default module;",
          `export const { ${loaded.join(", ")} } = module;`,
        ].join("\n"),
      };
    });
  },
};

/** Writes the bundle to a folder, and returns the project's own files that are in it. */
async function bundleTo(folder) {
  const { metafile } = await build({
    absWorkingDir: ROOT,
    entryPoints: [
      { in: "src/main.ts", out: "main" },
      { in: "src/store/sqlite/sqlite-thread.ts", out: "sqlite-thread" },
    ],
    outdir: folder,
    outExtension: { ".js": ".mjs" },
    bundle: true,
    format: "esm",
    platform: "node",
    target: "node24",
    // What is loaded late stays in files of its own.
    splitting: true,
    // Without comments, as one letter of theirs that is not Latin would double what a file takes in memory. Names and lines stay.
    minifyWhitespace: true,
    lineLimit: 120,
    // For debuggers, and NODE_OPTIONS=--enable-source-maps: always on, they would take 10 MB, and a fifth of the start.
    sourcemap: true,
    sourcesContent: false,
    metafile: true,
    plugins: [lazyModules],
    // CommonJS packages ask for Node's modules by it.
    banner: {
      js: 'const require = process.getBuiltinModule("node:module").createRequire(import.meta.url);',
    },
    logLevel: "warning",
  });
  // The others are the packages', and those of the plugin.
  const sources = Object.keys(metafile.inputs).filter((path) => !/(?:^|\/)node_modules\/|^node:/.test(path));
  for (const source of sources) refuseNameless(source, metafile);
  return sources;
}

/** What import() gives of a CommonJS package has no names in a bundle: such a package is to be imported by a statement of a file that is late. */
function refuseNameless(source, { inputs }) {
  const nameless = inputs[source].imports.find(
    (it) => it.kind === "dynamic-import" && inputs[it.path]?.format === "cjs",
  );
  if (nameless !== undefined)
    throw new Error(`${source}: import("${nameless.original}") would give no names in the bundle`);
}

/** All files that may come to be in the bundle, as they are before it is made: it is not fresh if one of them changes meanwhile. */
function describeFiles() {
  const sources = readdirSync(`${ROOT}src`, { recursive: true }).map((path) => `src/${path}`);
  return new Map([...CAUSES, ...sources].filter(isFile).map((path) => [path, describeFile(path)]));
}

const isFile = (path) => statSync(ROOT + path, { throwIfNoEntry: false })?.isFile() === true;

/** Makes a bundle in a folder that is named after what it is made of. Others may do the same at the same time. */
async function makeBundle() {
  const described = describeFiles();
  mkdirSync(DIST, { recursive: true });
  const unfinished = mkdtempSync(DIST + UNFINISHED);
  try {
    const files = filesOf(await bundleTo(unfinished), described);
    const folder = hashOf(files.map(([path, , , hash]) => `${path} ${hash}\n`).join("")).slice(0, 16);
    publish(unfinished, folder);
    const manifest = `${unfinished}.json`;
    writeFileSync(manifest, JSON.stringify({ folder, files }));
    renameSync(manifest, MANIFEST);
    return folder;
  } finally {
    rmSync(unfinished, { recursive: true, force: true });
  }
}

/** What the manifest says of these sources, and of the other causes. */
function filesOf(sources, described) {
  const unknown = sources.find((path) => !described.has(path));
  if (unknown !== undefined)
    throw new Error(`${unknown} is in the bundle, and was not there before or is no file of src`);
  return [...described.values()].filter(([path]) => CAUSES.includes(path) || sources.includes(path));
}

function publish(unfinished, folder) {
  try {
    renameSync(unfinished, DIST + folder);
  } catch (error) {
    // Somebody else was quicker to make the same.
    if (!existsSync(mainOf(folder))) throw error;
  }
}

/** Removes old bundles, but for some, and what is left of those that were never finished. */
function removeOld(newest) {
  const before = Date.now() - ABANDONED_MS;
  const found = readdirSync(DIST).map((name) => ({
    name,
    made: statSync(DIST + name, { throwIfNoEntry: false })?.mtimeMs ?? 0,
  }));
  const bundles = found.filter(({ name }) => /^[0-9a-f]{16}$/.test(name) && name !== newest);
  const old = bundles.sort((one, other) => other.made - one.made).slice(KEPT);
  const abandoned = found.filter(({ name, made }) => name.startsWith(UNFINISHED) && made < before);
  for (const { name } of [...old, ...abandoned]) rmSync(DIST + name, { recursive: true, force: true });
}

removeOld(await makeBundle());
