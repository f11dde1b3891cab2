import { Modality } from "../gen/parley/models/v1/models_service_pb.ts";

/** What a model reads and says, and whether it calls tools. */
export interface ModelAbilities {
  readonly input: readonly Modality[];
  readonly output: readonly Modality[];
  /** Undefined: not known. */
  readonly tools: boolean | undefined;
}

interface Row {
  /** Of the name in lower case. */
  readonly match: RegExp;
  /** Undefined: nothing is known; models that have no chat stand here, too. */
  readonly can: ModelAbilities | undefined;
}

const { TEXT, IMAGE, AUDIO, VIDEO, FILE } = Modality;

const can = (input: readonly Modality[], output: readonly Modality[], tools?: boolean): ModelAbilities => ({
  input,
  output,
  tools,
});

const OPENAI: readonly Row[] = [
  { match: /^gpt-.*(?:realtime|transcribe|tts|image|search|instruct)/, can: undefined },
  { match: /^gpt-(?:4o-)?(?:mini-)?audio/, can: can([TEXT, AUDIO], [TEXT, AUDIO], true) },
  { match: /^(?:gpt-3\.5-turbo|gpt-35-turbo|gpt-4(?:-\d|$))/, can: can([TEXT], [TEXT], true) },
  { match: /^gpt-4-/, can: can([TEXT, IMAGE], [TEXT], true) },
  { match: /^(?:chatgpt-|gpt-[5-9][\d.]*-chat)/, can: can([TEXT, IMAGE], [TEXT]) },
  {
    match: /^(?:gpt-(?:4[.o]|[5-9]|\d\d)|o1-pro|o1$|o1-2|o3$|o3-2|o3-pro|o4-mini|o[4-9]$)/,
    can: can([TEXT, IMAGE, FILE], [TEXT], true),
  },
  { match: /^o3-mini/, can: can([TEXT], [TEXT], true) },
  { match: /^o1-(?:mini|preview)/, can: can([TEXT], [TEXT], false) },
];

const ANTHROPIC: readonly Row[] = [
  { match: /^claude-(?:2|instant)/, can: can([TEXT], [TEXT], false) },
  { match: /^claude-3-(?:opus|sonnet|haiku)/, can: can([TEXT, IMAGE], [TEXT], true) },
  { match: /^claude-/, can: can([TEXT, IMAGE, FILE], [TEXT], true) },
];

const GOOGLE: readonly Row[] = [
  { match: /^gemini-.*(?:live|native-audio|embedding|computer-use)/, can: undefined },
  { match: /^gemini-.*-tts/, can: can([TEXT], [AUDIO], false) },
  { match: /^gemini-.*-image/, can: can([TEXT, IMAGE], [TEXT, IMAGE]) },
  { match: /^gemini-/, can: can([TEXT, IMAGE, AUDIO, VIDEO, FILE], [TEXT], true) },
  ...ANTHROPIC,
];

/** What is known of the models that each vendor serves under its own address; the first row of a name counts. */
const VENDORS: ReadonlyMap<string, readonly Row[]> = new Map([
  ["openai", OPENAI],
  ["azure", [...OPENAI, ...ANTHROPIC]],
  ["anthropic", ANTHROPIC],
  ["google", GOOGLE],
]);

/**
 * What a vendor's model can read and say, for lists that don't tell; undefined where it is not known. A newer model is taken to be like
 * the newest.
 */
export function abilitiesOf(vendor: string, model: string): ModelAbilities | undefined {
  const name = model.toLowerCase();
  return VENDORS.get(vendor)?.find(({ match }) => match.test(name))?.can;
}
