/** A step of a JSON path: the key of an object's member, or the index of a list's element. */
export type PathSegment = string | number;

/** What is longer is cut, so that hostile keys can't fill a message or a log. */
const MAX_KEY_LENGTH = 64;
const MAX_PATH_LENGTH = 1_000;

const PLAIN_KEY = /^[A-Za-z_][\w-]*$/;

/**
 * Writes a path in OpenAI's shape, "messages[2].content[0].image_url.url", below `prefix`. A key that is no plain name is quoted,
 * `metadata["a.b"]`, and what is longer than 64 characters, or 1,000 the path, is cut and ends in "…". The path of the whole is "".
 */
export function formatPath(segments: readonly PathSegment[], prefix = ""): string {
  let path = prefix;
  for (const segment of segments) {
    if (typeof segment === "number") path += `[${segment}]`;
    else if (segment.length > MAX_KEY_LENGTH) path += `[${JSON.stringify(`${segment.slice(0, MAX_KEY_LENGTH)}…`)}]`;
    else if (!PLAIN_KEY.test(segment)) path += `[${JSON.stringify(segment)}]`;
    else path += path === "" ? segment : `.${segment}`;
  }
  return path.length > MAX_PATH_LENGTH ? `${path.slice(0, MAX_PATH_LENGTH)}…` : path;
}
