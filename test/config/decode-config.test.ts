// biome-ignore-all lint/suspicious/noTemplateCurlyInString: these are references to environment variables
import { describe, expect, it } from "vitest";
import { loadText, problemsOf } from "./load.ts";

const NOT_A_KEY = "is not a key of the configuration";
const INTEGER = "must be an integer from -2147483648 to 2147483647";
const LEVELS = '"silent", "error", "warn", "info", "debug"';
const POLICIES = '"quality", "cost", "latency"';
const A_DAY = "must be greater than 0s and less than or equal to 86400s";
const AN_HOUR = "must be greater than 0s and less than or equal to 3600s";

describe("decodeConfig()", () => {
  it.each<[string, string[]]>([
    ["auto_model: sandbox/echo", [`auto_model: ${NOT_A_KEY}`]],
    ["routing: { breaker: { opens: 1s } }", [`routing.breaker.opens: ${NOT_A_KEY}`]],
    ["port: 80", [`port: ${NOT_A_KEY}`]],
    ["Listen: x", [`Listen: ${NOT_A_KEY}`]],
    ["timeouts: { totl: 1s }", [`timeouts.totl: ${NOT_A_KEY}`]],
    ["timeouts: { keepAlive: 1s }", [`timeouts.keepAlive: ${NOT_A_KEY}`]],
    ["limits: { a: { b: 1 }, 'c d': 2 }", [`limits.a: ${NOT_A_KEY}`, `limits["c d"]: ${NOT_A_KEY}`]],
    ["<<: { listen: x }", [`["<<"]: ${NOT_A_KEY}`]],
    ["__proto__: { listen: x }", ["__proto__: is a key that is not allowed"]],
  ])("rejects keys that the schema does not have: %s", async (text, problems) => {
    expect(await problemsOf(loadText(text))).toEqual(problems.map((problem) => `parley.yaml: ${problem}`));
  });

  it.each<[string, string]>([
    ["[]", "must be a map of keys, and is a list"],
    ["listen", "must be a map of keys, and is a single value"],
    ["listen: 8080", "listen: must be a string, not a number"],
    ["auto: [a]", "auto: must be an object, not an array"],
    ["auto: { models: a/b }", "auto.models: must be an array, not a string"],
    ["auto: { policy: fast }", `auto.policy: must be one of ${POLICIES}, not "fast"`],
    ["auto: { policy: POLICY_COST }", `auto.policy: must be one of ${POLICIES}, not "POLICY_COST"`],
    ["models: { id: a }", "models: must be an array, not an object"],
    [
      "models: [{ id: a, targets: [sandbox/echo], policy: Quality }]",
      `models[0].policy: must be one of ${POLICIES}, not "Quality"`,
    ],
    ["routing: { retry_budget: { ratio: much } }", "routing.retry_budget.ratio: must be a number, not a string"],
    ["tls: cert.pem", "tls: must be an object, not a string"],
    ["limits: [1]", "limits: must be an object, not an array"],
    ["limits: { max_connections: many }", "limits.max_connections: must be an integer, not a string"],
    ["limits: { max_connections: 1.5 }", "limits.max_connections: must be an integer, not 1.5"],
    ["limits: { max_connections: true }", "limits.max_connections: must be an integer, not a boolean"],
    ["limits: { max_connections: 3000000000 }", `limits.max_connections: ${INTEGER}, not 3000000000`],
    ["limits: { max_body_bytes: 32MB }", "limits.max_body_bytes: must be an integer; as a string, in decimal digits"],
    ["timeouts: { total: 60 }", 'timeouts.total: must be a duration such as "1.5s", not a number'],
    ["timeouts: { total: 3m }", 'timeouts.total: must be a duration in seconds, such as "1.5s"'],
    ["timeouts: { total: { seconds: 3 } }", 'timeouts.total: must be a duration such as "1.5s", not an object'],
    ["cors: { allowed_origins: '*' }", "cors.allowed_origins: must be an array, not a string"],
    ["cors: { allowed_origins: [x, 1] }", "cors.allowed_origins[1]: must be a string, not a number"],
    ["log: { level: loud }", `log.level: must be one of ${LEVELS}, not "loud"`],
    ["log: { level: LEVEL_INFO }", `log.level: must be one of ${LEVELS}, not "LEVEL_INFO"`],
    ["log: { level: 3 }", `log.level: must be one of ${LEVELS}, not a number`],
  ])("rejects values of a wrong type: %s", async (text, problem) => {
    expect(await problemsOf(loadText(text))).toEqual([`parley.yaml: ${problem}`]);
  });

  it.each<[string, string]>([
    [
      "limits: { max_body_bytes: 1023 }",
      "limits.max_body_bytes: 1023 must be greater than or equal to 1024 and less than or equal to 536870912",
    ],
    [
      "limits: { max_body_bytes: 536870913 }",
      "limits.max_body_bytes: 536870913 must be greater than or equal to 1024 and less than or equal to 536870912",
    ],
    ["limits: { max_connections: 0 }", "limits.max_connections: 0 must be greater than or equal to 1"],
    ["limits: { max_concurrent_streams: -1 }", "limits.max_concurrent_streams: -1 must be greater than or equal to 1"],
    ["timeouts: { total: 0s }", `timeouts.total: 0s ${A_DAY}`],
    ["timeouts: { total: 86400.000000001s }", `timeouts.total: 86400.000000001s ${A_DAY}`],
    ["timeouts: { first_chunk: 0s }", `timeouts.first_chunk: 0s ${A_DAY}`],
    ["timeouts: { idle: -1s }", `timeouts.idle: -1s ${A_DAY}`],
    ["timeouts: { headers: 0s }", `timeouts.headers: 0s ${A_DAY}`],
    ["timeouts: { request: 86401s }", `timeouts.request: 86401s ${A_DAY}`],
    ["timeouts: { keep_alive: 3601s }", `timeouts.keep_alive: 3601s ${AN_HOUR}`],
    [
      "timeouts: { drain: -1s }",
      "timeouts.drain: -1s must be greater than or equal to 0s and less than or equal to 3600s",
    ],
    [
      "sandbox: { token_delay: 61s }",
      "sandbox.token_delay: 61s must be greater than or equal to 0s and less than or equal to 60s",
    ],
    ["timeouts: { attempt: 0s }", `timeouts.attempt: 0s ${A_DAY}`],
    [
      "routing: { max_retries: 11 }",
      "routing.max_retries: 11 must be greater than or equal to 0 and less than or equal to 10",
    ],
    [
      "routing: { breaker: { failure_ratio: 1 } }",
      "routing.breaker.failure_ratio: 1 must be greater than 0 and less than 1",
    ],
    [
      "models: [{ id: a, targets: [sandbox/echo], weights: { sandbox/echo: 0 } }]",
      'models[0].weights["sandbox/echo"]: 0 must be greater than or equal to 1 and less than or equal to 1000000',
    ],
    ["models: [{ targets: [sandbox/echo] }]", "models[0].id: value is required"],
    ["models: [{ id: a }]", "models[0].targets: must contain at least 1 item(s)"],
    [
      "models: [{ id: a, targets: [sandbox/echo, sandbox/echo] }]",
      "models[0].targets: repeated value must contain unique items",
    ],
    ["auto: { models: [sandbox/echo, sandbox/echo] }", "auto.models: repeated value must contain unique items"],
    [
      "providers: [{ id: a, google: {}, concurrency: { max_in_flight: 0 } }]",
      "providers[0].concurrency.max_in_flight: 0 must be greater than or equal to 1 and less than or equal to 1000000",
    ],
    ["cors: { allowed_origins: [] }", "cors.allowed_origins: must contain at least 1 item(s)"],
  ])("rejects values out of bounds: %s", async (text, problem) => {
    expect(await problemsOf(loadText(text))).toEqual([`parley.yaml: ${problem}`]);
  });

  it.each([
    "limits: { max_body_bytes: 1024, max_connections: 1, max_concurrent_streams: 2147483647 }",
    "limits: { max_body_bytes: 536870912 }",
    "timeouts: { total: 86400s, first_chunk: 0.001s, idle: 86400s, request: 86400s, keep_alive: 3600s, drain: 3600s }",
    "timeouts: { drain: 0s }\nsandbox: { token_delay: 60s }",
  ])("takes values on their bounds: %s", async (text) => {
    await expect(loadText(text)).resolves.toBeDefined();
  });

  it("names all problems of a file at once, and those beside it", async () => {
    const text = `
listen: 0.0.0.0:80
port: 80
limits: { max_connections: 0, max_body_bytes: 1 }
timeouts: { total: 3m, extra: 1 }
log: { level: loud }
auto: { models: [auto] }
tls: { cert_file: gone.pem, key: x }
`;
    expect(await problemsOf(loadText(text, { PARLEY_LOG_LEVEL: "verbose" }))).toEqual([
      "parley.yaml: port: is not a key of the configuration",
      'parley.yaml: timeouts.total: must be a duration in seconds, such as "1.5s"',
      `parley.yaml: log.level: must be one of ${LEVELS}, not "loud"`,
      "parley.yaml: tls.key: is not a key of the configuration",
      "parley.yaml: tls.key_file: value is required",
      expect.stringMatching(/^parley\.yaml: limits\.max_body_bytes: 1 must be /),
      "parley.yaml: limits.max_connections: 0 must be greater than or equal to 1",
      expect.stringMatching(/^parley\.yaml: listen: listening on 0\.0\.0\.0 without authentication /),
      'PARLEY_LOG_LEVEL: "verbose" must be one of silent, error, warn, info, debug',
      expect.stringMatching(/^parley\.yaml: auto\.models\[0\]: "auto" can't be /),
    ]);
  });

  it("names no text that a variable may have brought", async () => {
    const env = { KEY: "s3cr3t-value" };
    const text = 'timeouts: { total: "${KEY}" }\nlimits: { max_body_bytes: "${KEY}", max_connections: "${KEY}" }';
    expect((await problemsOf(loadText(text, env))).join()).not.toContain("s3cr3t");
  });
});
