import { deserialize, serialize } from "node:v8";
import { decodeFault, encodeFault, type Fault } from "./fault.ts";

/** The way to what another process does: functions by name, to which data is given that can be cloned, and which return such. */
export interface Channel<Theirs> {
  /** Asks, and waits for the answer. Rejects with the error that the other process failed with. */
  ask<Name extends keyof Theirs>(name: Name, ...args: ArgsOf<Theirs[Name]>): Promise<ResultOf<Theirs[Name]>>;
  /** Tells something, and wants no answer. */
  tell<Name extends keyof Theirs>(name: Name, ...args: ArgsOf<Theirs[Name]>): void;
  /** The other process is gone: all that was asked of it fails, and nothing is sent any more. */
  close(error: Error): void;
}

type ArgsOf<Method> = Method extends (...args: infer Args) => unknown ? Args : never;
type ResultOf<Method> = Method extends (...args: never[]) => infer Result ? Awaited<Result> : never;

/** What the messages go through: both ends of a child process have these. */
export interface Pipe {
  send(messages: readonly Message[]): void;
  receive(heard: (messages: readonly Message[]) => void): void;
}

/**
 * A question has a number above 0, or 0 where it wants no answer; an answer has the number of its question, below 0. As lists, because
 * writing and reading their names would cost more than all the rest.
 */
export type Message =
  | readonly [id: number, name: string, args: unknown]
  | readonly [id: number, value: unknown]
  | readonly [id: number, value: null, fault: string];

/** What is named here is cloned in full, as V8 does it; all else has to be what JSON takes, which costs a third of that. */
export type Cloned = ReadonlySet<string>;

/**
 * Opens a channel. One message costs about as much as ten that are sent as one: what is asked and answered waits until what has just come
 * off the wires is dealt with, and is sent together. What is told goes when the present piece of work is done, and takes along what waits.
 */
export function openChannel<Theirs>(pipe: Pipe, mine: object, cloned: Cloned): Channel<Theirs> {
  const waiting = new Map<number, { readonly name: string; readonly answer: PromiseWithResolvers<unknown> }>();
  let outgoing: Message[] = [];
  let isPlanned = false;
  let isHurried = false;
  let closed: Error | undefined;
  let lastId = 0;

  const pack = (name: string, value: unknown): unknown => (cloned.has(name) ? clone(value) : value);
  const unpack = (name: string, value: unknown): unknown => (cloned.has(name) ? unclone(value) : value);

  const flush = (): void => {
    isPlanned = false;
    isHurried = false;
    if (outgoing.length === 0 || closed !== undefined) return;
    const messages = outgoing;
    outgoing = [];
    pipe.send(messages);
  };
  const send = (message: Message): void => {
    outgoing.push(message);
    if (isPlanned) return;
    isPlanned = true;
    setImmediate(flush);
  };
  const hurry = (message: Message): void => {
    outgoing.push(message);
    if (isHurried) return;
    isHurried = true;
    process.nextTick(flush);
  };

  const fail = (id: number, error: unknown): void => send([-id, null, clone(encodeFault(error))]);
  const serve = (id: number, name: string, args: readonly unknown[]): void => {
    try {
      const value: unknown = Reflect.apply(Reflect.get(mine, name), mine, args);
      if (id === 0) return;
      if (!(value instanceof Promise)) send([-id, pack(name, value)]);
      else
        value.then(
          (it) => send([-id, pack(name, it)]),
          (error: unknown) => fail(id, error),
        );
    } catch (error) {
      if (id === 0) throw error;
      fail(id, error);
    }
  };
  const take = ([id, first, second]: Message): void => {
    if (id >= 0) {
      const name = first as string;
      serve(id, name, unpack(name, second) as readonly unknown[]);
      return;
    }
    const asked = waiting.get(-id);
    if (asked === undefined) return;
    waiting.delete(-id);
    if (second === undefined) asked.answer.resolve(unpack(asked.name, first));
    else asked.answer.reject(decodeFault(unclone(second) as Fault));
  };
  pipe.receive((messages) => {
    for (const message of messages) take(message);
  });

  return {
    ask(name, ...args) {
      if (closed !== undefined) return Promise.reject(closed);
      const answer = Promise.withResolvers<unknown>();
      waiting.set(++lastId, { name: String(name), answer });
      send([lastId, String(name), pack(String(name), args)]);
      return answer.promise as Promise<ResultOf<Theirs[typeof name]>>;
    },
    tell(name, ...args) {
      hurry([0, String(name), pack(String(name), args)]);
    },
    close(error) {
      closed = error;
      for (const { answer } of waiting.values()) answer.reject(error);
      waiting.clear();
    },
  };
}

const clone = (value: unknown): string => serialize(value).toString("base64");
const unclone = (text: unknown): unknown => deserialize(Buffer.from(text as string, "base64"));
