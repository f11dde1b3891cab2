import { Log_Level } from "../gen/parley/config/v1/config_pb.ts";
import { isLogLevel, LOG_LEVELS, type LogLevel } from "../telemetry/log-level.ts";
import type { Candidate } from "./problems.ts";

const LEVEL_OF: Readonly<Record<Log_Level, LogLevel>> = {
  [Log_Level.UNSPECIFIED]: "info",
  [Log_Level.SILENT]: "silent",
  [Log_Level.ERROR]: "error",
  [Log_Level.WARN]: "warn",
  [Log_Level.INFO]: "info",
  [Log_Level.DEBUG]: "debug",
};

/** Chooses the level of the log: of the first candidate that has one, or the file's. Every text must be a level. */
export function chooseLogLevel(candidates: readonly Candidate[], fromFile: Log_Level): LogLevel {
  const [chosen] = candidates.flatMap(readLevel);
  return chosen ?? LEVEL_OF[fromFile];
}

function readLevel({ text, refuse }: Candidate): LogLevel[] {
  if (text === undefined) return [];
  if (isLogLevel(text)) return [text];
  refuse(`${JSON.stringify(text)} must be one of ${LOG_LEVELS.join(", ")}`);
  return [];
}
