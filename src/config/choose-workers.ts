import { availableParallelism } from "node:os";
import type { Candidate } from "./problems.ts";

/** Most processes, as parley/config/v1/config.proto has it. */
const MAX_WORKERS = 256;

/**
 * Chooses how many processes serve: what the command line says, or else the file's number, or 1. 0 stands for one for each processor
 * that this process may use.
 */
export function chooseWorkers(flag: Candidate, fromFile: number | undefined): number {
  const wanted = readFlag(flag) ?? fromFile ?? 1;
  return wanted === 0 ? availableParallelism() : wanted;
}

function readFlag({ text, refuse }: Candidate): number | undefined {
  if (text === undefined) return undefined;
  const isWhole = /^\d{1,9}$/.test(text);
  if (isWhole && Number(text) <= MAX_WORKERS) return Number(text);
  refuse(`${JSON.stringify(text)} must be a whole number from 0 to ${MAX_WORKERS}`);
  return undefined;
}
