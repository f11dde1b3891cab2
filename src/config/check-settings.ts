import { formatMs } from "./duration.ts";
import type { Report } from "./problems.ts";
import type { Settings } from "./settings.ts";

/** Checks what the schema's rules can't say. */
export function checkSettings({ cors, timeouts, routing }: Settings, report: Report): void {
  cors.allowedOrigins.forEach((origin, index) => {
    if (origin === "*" || isOrigin(origin)) return;
    const why = 'must be "*", or scheme, host and port as browsers send them, such as "https://app.example"';
    report(`cors.allowed_origins[${index}]`, `${JSON.stringify(origin)} ${why}`);
  });
  const { headersMs, requestMs } = timeouts;
  if (headersMs > requestMs) {
    report("timeouts.headers", `${formatMs(headersMs)} must be <= timeouts.request, ${formatMs(requestMs)}`);
  }
  const { minCalls, window, openMs, maxOpenMs } = routing.breaker;
  if (minCalls > window) {
    report("routing.breaker.min_calls", `${minCalls} must be <= routing.breaker.window, ${window}`);
  }
  if (openMs > maxOpenMs) {
    report("routing.breaker.open", `${formatMs(openMs)} must be <= routing.breaker.max_open, ${formatMs(maxOpenMs)}`);
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
