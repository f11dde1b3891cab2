import type { Resource } from "@opentelemetry/resources";
import { VERSION } from "../lib/version.ts";
import { load } from "./open-telemetry.ts";

/** Which of several processes this is that serve as one. */
export interface Member {
  /** Id of all of them together, where OTEL_RESOURCE_ATTRIBUTES gives none. */
  readonly instance: string;
  /** From 1; the one that takes the place of another has its number. */
  readonly number: number;
}

const NAME = "service.name";
const INSTANCE = "service.instance.id";

/** Who sends: "parley", unless OTEL_SERVICE_NAME or OTEL_RESOURCE_ATTRIBUTES say something else. Each member has an id of its own. */
export async function describeService(member?: Member): Promise<Resource> {
  const whole = await describeWhole(member);
  if (member === undefined) return whole;
  const { resourceFromAttributes } = await load("@opentelemetry/resources");
  return whole.merge(resourceFromAttributes({ [INSTANCE]: `${whole.attributes[INSTANCE]}.${member.number}` }));
}

/** Who sends what is told of all members together. */
export async function describeWhole(member?: Member): Promise<Resource> {
  const { detectResources, envDetector, resourceFromAttributes, serviceInstanceIdDetector } =
    await load("@opentelemetry/resources");
  const own = resourceFromAttributes({ [NAME]: "parley", "service.version": VERSION });
  if (member === undefined) return own.merge(detectResources({ detectors: [serviceInstanceIdDetector, envDetector] }));
  const together = resourceFromAttributes({ [INSTANCE]: member.instance });
  return own.merge(together).merge(detectResources({ detectors: [envDetector] }));
}
