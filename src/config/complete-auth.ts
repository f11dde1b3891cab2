import type { Auth, ConfigKey, Jwt } from "../gen/parley/config/v1/config_pb.ts";
import { Scope } from "../gen/parley/scopes/v1/scopes_pb.ts";
import { orMs } from "./duration.ts";
import type { AuthSettings, ConfigKeySettings, JwtSettings } from "./settings.ts";

/** What a key may be used for that does not say. */
export const DEFAULT_SCOPES: readonly Scope[] = [Scope.CHAT, Scope.MODELS];

/** The defaults that parley/config/v1/config.proto states. */
const JWT_DEFAULTS = {
  algorithms: ["RS256", "PS256", "ES256", "EdDSA"],
  scopesClaim: "scope",
  scopePrefix: "",
  modelsClaim: "parley_models",
  limitsClaim: "parley_limits",
  clockToleranceMs: 30_000,
};

/** Makes the settings of who may call. */
export function completeAuth(auth: Auth | undefined): AuthSettings {
  return {
    keys: (auth?.keys ?? []).map(completeKey),
    jwt: auth?.jwt === undefined ? undefined : completeJwt(auth.jwt),
    defaultLimits: auth?.defaultLimits,
  };
}

const completeKey = ({ id, sha256, scopes, models, limits, logContent }: ConfigKey): ConfigKeySettings => ({
  id,
  sha256: sha256.toLowerCase(),
  scopes: scopes.length === 0 ? DEFAULT_SCOPES : [...scopes],
  models: [...models],
  limits,
  logContent: logContent ?? false,
});

const completeJwt = (jwt: Jwt): JwtSettings => ({
  issuer: jwt.issuer,
  audience: jwt.audience,
  jwksUrl: jwt.jwksUrl,
  algorithms: jwt.algorithms.length === 0 ? JWT_DEFAULTS.algorithms : [...jwt.algorithms],
  scopesClaim: jwt.scopesClaim ?? JWT_DEFAULTS.scopesClaim,
  scopePrefix: jwt.scopePrefix ?? JWT_DEFAULTS.scopePrefix,
  modelsClaim: jwt.modelsClaim ?? JWT_DEFAULTS.modelsClaim,
  limitsClaim: jwt.limitsClaim ?? JWT_DEFAULTS.limitsClaim,
  clockToleranceMs: orMs(jwt.clockTolerance, JWT_DEFAULTS.clockToleranceMs),
});
