/** Words for what Node says when an address can't be listened on. */
const WORDS: Readonly<Record<string, string>> = {
  EADDRINUSE: "another program does already; choose another port with --listen or PARLEY_LISTEN",
  EADDRNOTAVAIL: "this machine does not have the address",
  EACCES: "this user may not; ports below 1024 often need root",
  ENOTFOUND: "there is no such host",
  EAI_AGAIN: "the host's name can't be resolved now",
};

/** Says why a server could not listen; undefined for any other error. */
export function startFault(error: unknown): string | undefined {
  if (!(error instanceof Error) || !("code" in error)) return undefined;
  return WORDS[String(error.code)];
}
