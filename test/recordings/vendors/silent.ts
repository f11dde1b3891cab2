/** Recordings of which a vendor's own SDK does not see what they say, and why. */
export const UNSEEN: Readonly<Record<string, string>> = {
  "anthropic/no-event-lines-stream": "it goes by the names of events, which relays leave out",
  "google/recitation-message": "it leaves finishMessage out",
  "google/image-refused": "it leaves finishMessage out",
  "google/error-200": "it looks for errors in failures only",
  "compatible/json-error-for-stream": "it looks for events only",
};

/** Recordings that an SDK's helper does not put together, and why. */
export const UNJOINED: Readonly<Record<string, string>> = {
  "anthropic/no-event-lines-stream": "it goes by the names of events, which relays leave out",
  "anthropic/no-usage-stream": "it takes for granted that there is a usage",
  "anthropic/compaction-stream": "it leaves the passes of the usage out",
  "openai/annotations-stream": "it overwrites lists instead of appending to them",
};
