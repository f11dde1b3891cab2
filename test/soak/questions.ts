import { Role } from "../../src/gen/parley/chat/v1/message_pb.ts";
import type { Random } from "../../src/providers/sandbox/random.ts";
import type { TypedClients } from "../support/typed-doors.ts";
import { type Config, NAMES, targetsOf } from "./configs.ts";

/** Asks whom a call would ask, or for the list of models, and says what is wrong with the answer; undefined: nothing. */
export async function askQuestion(
  { chat, models }: TypedClients,
  random: Random,
  configs: () => readonly Config[],
): Promise<string | undefined> {
  const before = configs();
  if (random.next() < 0.5) {
    const { models: listed } = await models.listModels({});
    // A list that is missing is no list: names of the file are always in it.
    const isOf = (config: Config): boolean =>
      [...config.names.keys()].every((name) => listed.some(({ id }) => id === name));
    return [...before, ...configs()].some(isOf) ? undefined : "a list of models of no configuration";
  }
  const name = random.pick(NAMES.filter((it) => it !== "narrow"));
  const content = [{ kind: { case: "text", value: "Whom would you ask?" } }] as const;
  const { candidates } = await chat.explainChatCompletion({
    params: { model: name, messages: [{ role: Role.USER, content: [...content] }] },
  });
  const said = candidates
    .map(({ target }) => target)
    .sort()
    .join();
  const isOf = (config: Config): boolean => [...(targetsOf(config, name) ?? [])].sort().join() === said;
  return [...before, ...configs()].some(isOf) ? undefined : `candidates of no configuration for ${name}: ${said}`;
}
