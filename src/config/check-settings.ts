import { formatMs } from "./duration.ts";
import type { Report } from "./problems.ts";
import type { Settings } from "./settings.ts";

/** Checks what the schema's rules can't say. */
export function checkSettings({ autoModel, cors, timeouts }: Settings, report: Report): void {
  if (autoModel === "" || autoModel === "auto") {
    report("auto_model", `${JSON.stringify(autoModel)} must be the name of another model, such as "sandbox/eliza"`);
  }
  cors.allowedOrigins.forEach((origin, index) => {
    if (origin === "*" || isOrigin(origin)) return;
    const why = 'must be "*", or scheme, host and port as browsers send them, such as "https://app.example"';
    report(`cors.allowed_origins[${index}]`, `${JSON.stringify(origin)} ${why}`);
  });
  const { headersMs, requestMs } = timeouts;
  if (headersMs > requestMs) {
    report("timeouts.headers", `${formatMs(headersMs)} must be <= timeouts.request, ${formatMs(requestMs)}`);
  }
}

/** Whether a text is an origin in the one form that browsers send (RFC 6454 §6.2): lower case, no path, no default port. */
function isOrigin(text: string): boolean {
  const url = URL.parse(text);
  // URL takes "https://*.example", but that is a pattern and no origin.
  if (url === null || text.includes("*")) return false;
  // For schemes that it does not know (capacitor:, chrome-extension:), URL has no origin.
  return url.origin === "null" ? /^[a-z][a-z0-9+.-]*:\/\/[^/?#@\s]+$/.test(text) : url.origin === text;
}
