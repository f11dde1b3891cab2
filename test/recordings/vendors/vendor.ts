/**
 * Vendors: their own SDKs, reading the same bytes from a socket. They vouch for the readings, which nothing but tests depends on.
 */
import type { Answer, Reading } from "../reading/reading.ts";

/** What an SDK made of a recording: an answer, an error, or neither. */
export type VendorResult =
  | { readonly kind: "answer"; readonly answer: Answer }
  | {
      readonly kind: "error";
      /** HTTP status; undefined for an error within a success. */
      readonly status: number | undefined;
      /** All that the SDK says. */
      readonly text: string;
    }
  | { readonly kind: "nothing" };

/** A reading of what an SDK gave in pieces. */
export const fromReading = (reading: Reading): VendorResult =>
  reading.kind === "answer" ? reading : { kind: "nothing" };
