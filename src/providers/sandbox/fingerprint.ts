import { createHash } from "node:crypto";

/** What changes when answers to the same seed change: raised by hand together with the script or the sampler. */
const REVISION = "sandbox 1";

/** `system_fingerprint` of every answer of the sandbox. */
export const FINGERPRINT = `fp_${createHash("sha256").update(REVISION).digest("hex").slice(0, 10)}`;
