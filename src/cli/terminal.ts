import { isatty } from "node:tty";

/** Notes the terminal that the process was started in. The function that is returned tells whether it was closed since. */
export function watchTerminal(): () => boolean {
  const terminals = [0, 1, 2].filter((descriptor) => isatty(descriptor));
  return () => terminals.some((descriptor) => !isatty(descriptor));
}
