/** Environment variables: `process.env`, or a record like it. */
export type Environment = Readonly<Record<string, string | undefined>>;
