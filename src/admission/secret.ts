import { hash, randomBytes, timingSafeEqual } from "node:crypto";

const PREFIX = "sk-parley-";

/** 32 bytes in base64url: the last character has two bits to spare. */
const FORM = /^sk-parley-[A-Za-z0-9_-]{42}[AEIMQUYcgkosw048]$/;

/** How much of a secret is shown: four of its 43 characters. */
const HINT_LENGTH = PREFIX.length + 4;

/** Makes the secret of a key: "sk-parley-" and 256 random bits. */
export const createSecret = (): string => PREFIX + randomBytes(32).toString("base64url");

/** Whether a text has exactly the form of a secret: nothing else is ever looked for in the database. */
export const isSecret = (text: string): boolean => FORM.test(text);

/** What secrets are known by: SHA-256, as 64 hexadecimal digits. A guess can't be told from its hash, so no salt is needed. */
export const hashSecret = (text: string): string => hash("sha256", text, "hex");

/** How a secret begins, to tell keys apart by. */
export const hintOf = (secret: string): string => secret.slice(0, HINT_LENGTH);

/** Compares two hashes in a time that does not tell where they differ. */
export const isSameHash = (a: string, b: string): boolean =>
  a.length === b.length && timingSafeEqual(Buffer.from(a, "latin1"), Buffer.from(b, "latin1"));
