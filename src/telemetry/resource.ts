import type { Resource } from "@opentelemetry/resources";
import { VERSION } from "../lib/version.ts";
import { load } from "./open-telemetry.ts";

/** Who sends: "parley", unless OTEL_SERVICE_NAME or OTEL_RESOURCE_ATTRIBUTES say something else. */
export async function describeService(): Promise<Resource> {
  const { detectResources, envDetector, resourceFromAttributes, serviceInstanceIdDetector } =
    await load("@opentelemetry/resources");
  return resourceFromAttributes({ "service.name": "parley", "service.version": VERSION }).merge(
    detectResources({ detectors: [serviceInstanceIdDetector, envDetector] }),
  );
}
