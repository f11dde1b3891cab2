import { checkAuth } from "./check-auth.ts";
import { formatMs } from "./duration.ts";
import type { Report } from "./problems.ts";
import type { Settings } from "./settings.ts";

/** Checks what the schema's rules can't say. */
export function checkSettings({ cors, timeouts, routing, auth, runs }: Settings, report: Report): void {
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
  checkAuth(auth, report);
  const { secret } = runs.webhook;
  // What the schema's pattern lets through and base64 has not; what the pattern refuses has its report.
  if (secret !== undefined && SECRET_FORM.test(secret) && !isSigningKey(secret.slice(WEBHOOK_PREFIX.length))) {
    report("runs.webhook.secret", `must be "${WEBHOOK_PREFIX}" and 24 to 64 bytes in base64`);
  }
}

const WEBHOOK_PREFIX = "whsec_";
const SECRET_FORM = /^whsec_[A-Za-z0-9+/]{32,88}={0,2}$/;

function isSigningKey(base64: string): boolean {
  const bytes = Buffer.from(base64, "base64");
  // Padding may be left out, and nothing else: what does not read back has bits or characters too many.
  const isWhole = bytes.toString("base64").replace(/=+$/, "") === base64.replace(/=+$/, "");
  return isWhole && (!base64.endsWith("=") || base64.length % 4 === 0) && bytes.length >= 24 && bytes.length <= 64;
}

/** Whether a text is an origin in the one form that browsers send (RFC 6454 §6.2): lower case, no path, no default port. */
function isOrigin(text: string): boolean {
  const url = URL.parse(text);
  // URL takes "https://*.example", but that is a pattern and no origin.
  if (url === null || text.includes("*")) return false;
  // For schemes that it does not know (capacitor:, chrome-extension:), URL has no origin.
  return url.origin === "null" ? /^[a-z][a-z0-9+.-]*:\/\/[^/?#@\s]+$/.test(text) : url.origin === text;
}
