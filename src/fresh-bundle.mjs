/** The bundle of the program that `.ci/bundle.mjs` makes in `dist`, and whether it still is what the source says. */
const { existsSync, readFileSync, statSync } = process.getBuiltinModule("node:fs");

/** Folder of the project, with a slash at its end. */
export const ROOT = import.meta.dirname.slice(0, -"src".length);

/** Where bundles are. Each has a folder of its own, so that a gateway which runs finds what it loads late, also when there is a newer one. */
export const DIST = `${ROOT}dist/`;

/** Names the folder of the newest bundle, and each file that it was made of: path, size, time of its last change, hash. */
export const MANIFEST = `${DIST}newest.json`;

/** The file to run, or undefined: there is no bundle, or not of the files as they are now. */
export function findFreshBundle() {
  const manifest = readManifest();
  const isFresh = manifest?.files.every(isAsBefore) === true && existsSync(mainOf(manifest.folder));
  return isFresh ? mainOf(manifest.folder) : undefined;
}

export const mainOf = (folder) => `${DIST}${folder}/main.mjs`;

/** What the manifest says of a file. Its path is relative to the project's folder. */
export function describeFile(path) {
  const { size, mtimeMs } = statSync(ROOT + path);
  return [path, size, mtimeMs, hashOf(readFileSync(ROOT + path))];
}

export function hashOf(data) {
  return process.getBuiltinModule("node:crypto").hash("sha256", data);
}

/** The time of a change is enough to know a file by; where it is another, as in a copy of the folder, its bytes decide. */
function isAsBefore([path, size, mtimeMs, hash]) {
  const stat = statSync(ROOT + path, { throwIfNoEntry: false });
  if (stat?.size !== size) return false;
  return stat.mtimeMs === mtimeMs || hashOf(readFileSync(ROOT + path)) === hash;
}

function readManifest() {
  try {
    return JSON.parse(readFileSync(MANIFEST, "utf8"));
  } catch {
    return undefined; // There is none, or none that can be read: both mean that a new one is due.
  }
}
