/*
 * What the sandbox's conversation partner says. The method is that of Joseph Weizenbaum's ELIZA (Communications of the
 * ACM 9(1), 1966): keywords with ranks, patterns that take a sentence apart, and replies that put it together again.
 * The script is our own.
 *
 *   pattern = token *(" " token)        over the words of one clause, in lower case
 *   token   = "*" | "+" | word *("|" word) | "@" group
 *
 * `*` takes any number of words, `+` at least one; both take as few as they can, and what the nth of them took is `$n`
 * in a reply. A reply `=word` goes on with the rules of another keyword.
 */

/** One way to understand a clause, and what to answer then. */
export interface ElizaRule {
  pattern: string;
  /** Used in rotation. */
  replies: readonly string[];
  /** Kept for a later moment when nothing else comes to mind. */
  later?: readonly string[];
}

/** Words that mark a clause as worth answering. */
export interface ElizaKeyword {
  words: readonly string[];
  /** Of several keywords in a text, the one of the highest rank is answered, the first among equals. */
  rank: number;
  /** Tried in order; when no pattern fits, the next keyword of the text has its turn. */
  rules: readonly ElizaRule[];
}

/** A whole script. */
export interface ElizaScript {
  /** Spellings that are unified before anything is looked at: `don't` to `do not`. */
  before: Readonly<Record<string, string>>;
  /** How words, and pairs of words, of the text change when they are repeated: `my` to `your`. */
  after: Readonly<Record<string, string>>;
  /**
   * Words that are another one where they are the subject: `you` is `I` there and `me` elsewhere. One is taken for the subject
   * where it begins what is repeated or follows one of `openers`, and something follows it that is not one of `followers`.
   */
  subjects: {
    readonly words: Readonly<Record<string, string>>;
    readonly openers: readonly string[];
    readonly followers: readonly string[];
  };
  /** Words that a pattern can name together as `@group`. */
  groups: Readonly<Record<string, readonly string[]>>;
  keywords: readonly ElizaKeyword[];
  /** Answers to a text without a keyword. */
  none: readonly string[];
  /** Answers to a text without a word. */
  silent: readonly string[];
}

/** Shorthand for a keyword that needs no look at the rest of the clause. */
function topic(rank: number, words: string, ...replies: string[]): ElizaKeyword {
  return { words: words.split(" "), rank, rules: [{ pattern: "*", replies }] };
}

const manners: readonly ElizaKeyword[] = [
  topic(
    1,
    "hello hi hey howdy greetings hola bonjour hallo olá ciao salut hej привет こんにちは 你好",
    "Hello! I'm the Parley sandbox. What are you building today?",
    "Hi there! No key needed here. Ask me anything, or send me a tool to call.",
    "Hello! I live inside the gateway, so I answer without any account or network. Everything around me is the real thing, though: the streaming, the token counts, the limits and the errors. What would you like to try first?",
  ),
  {
    words: ["morning", "afternoon", "evening", "night"],
    rank: 1,
    rules: [
      { pattern: "good night *", replies: ["=goodbye"] },
      { pattern: "good morning|afternoon|evening *", replies: ["A good one to you too! What shall we test?"] },
    ],
  },
  topic(
    4,
    "goodbye bye farewell",
    "Goodbye! Thanks for trying Parley. Your stream ends here, with a proper finish reason.",
    "See you! I'll be here, deterministic as ever.",
  ),
  topic(
    3,
    "thanks thank thx cheers merci gracias danke obrigado obrigada",
    "You're welcome! Is there anything else you would like to try?",
    "My pleasure. That's what a sandbox is for.",
    "Gladly. If it worked with me, point the same call at a real model next.",
  ),
  topic(
    2,
    "sorry apologies",
    "No harm done; a sandbox is the place to make mistakes.",
    "Never mind. Nothing here can break, and nothing here is billed.",
  ),
  {
    words: ["yes", "yeah", "yep", "sure", "ok", "okay", "fine", "right"],
    rank: 0,
    rules: [
      { pattern: "*", replies: ["Good. Tell me more.", "All right, go on.", "Then let's continue. What comes next?"] },
    ],
  },
  topic(0, "no nope nah", "No? What would you prefer instead?", "Fair enough. Which way should we go, then?"),
  topic(
    0,
    "maybe perhaps possibly",
    "Which observation would turn that maybe into a yes?",
    "Maybe it is. An experiment costs nothing here.",
  ),
  {
    words: ["say", "repeat"],
    rank: 9,
    rules: [
      {
        pattern: "* say|repeat after me *",
        replies: ["The model sandbox/echo is better at that: it repeats every word. I only listen."],
      },
      { pattern: "say|repeat +", replies: ["$1."] },
      { pattern: "please|just say|repeat +", replies: ["$1."] },
      { pattern: "* can|could|would|will you say|repeat +", replies: ["$2. Was that right?"] },
    ],
  },
  topic(
    2,
    "ping test testing",
    "Pong. The line works, and you are reading me token by token.",
    "Test received, loud and clear. What should the next one check?",
  ),
];

const api: readonly ElizaKeyword[] = [
  {
    words: ["parley", "gateway"],
    rank: 9,
    rules: [
      {
        pattern: "* what|explain|describe|about *",
        replies: [
          "Parley is a gateway for language models. You send one typed request, and it reaches whichever provider you name; the answer comes back in one shape. You can speak gRPC, gRPC-Web, Connect or plain REST to it, all on the same port, and I am the built-in model that answers without a key.",
        ],
      },
      {
        pattern: "*",
        replies: [
          "Parley is what carries this message to you. I'm only its sandbox.",
          "You are talking through Parley right now. Is there a part of it that you would like to know more about: streaming, tools, errors or tokens?",
        ],
      },
    ],
  },
  {
    words: ["sandbox", "eliza", "weizenbaum"],
    rank: 8,
    rules: [
      {
        pattern: "*",
        replies: [
          "I'm the sandbox: a small conversation partner made of rules, after the method that Joseph Weizenbaum described in 1966. There is no neural network behind these words. What is real is everything else, so you can build and test a client against me before you spend anything on a model.",
          "The sandbox answers by rules, always the same way for the same seed. That makes it a patient partner for tests.",
        ],
      },
    ],
  },
  topic(
    6,
    "model models llm gpt claude gemini",
    "I'm not a large model, just a script with good manners. Name another model in the request and Parley will take your message there, once its key is configured.",
    "Models come and go, but your request can stay as it is: only its model name has to change.",
  ),
  topic(
    7,
    "help",
    "Happy to help! You can chat with me, ask for a stream, offer me tools, demand an answer in JSON by a schema, or limit my tokens and watch me stop. Ask me about streaming, tokens, tools, errors or seeds, and I'll tell you what there is to know.",
    "Of course. What are you trying to do, and what happens instead?",
  ),
  topic(
    7,
    "stream streams streaming sse chunk chunks delta",
    "When you ask for a stream, this answer arrives piece by piece as it is made: first a chunk with my role, then the words in small deltas, and at last a chunk with the finish reason. Put the pieces together and you have exactly what a plain call returns.",
    "Set stream to true and count the chunks: each carries about one token of this sentence.",
    "A stream that breaks off without a finish reason was interrupted. A good client tells the two apart.",
  ),
  topic(
    7,
    "token tokens tokenizer tokenization usage context",
    "I count tokens with a real tokenizer, so the usage figures you get from me are what that text would take elsewhere. A token is often a word with the space before it, sometimes only a few letters, and now and then a single emoji takes several of them.",
    "Ask for few tokens and I'll stop in the middle of a sentence, with length as the finish reason.",
    "Tokens are the pieces that models read and write. In English, four characters make about one token.",
  ),
  topic(
    7,
    "tool tools",
    "Offer me a tool and I'll call it, with arguments that satisfy its schema. I look through our conversation for fitting values: a city for a property called city, a number where you mentioned one. Then send me the result in a tool message, and we go on from there.",
    "A tool needs a name and a JSON Schema for its parameters. I take both seriously.",
    "Tell me to use a tool by name, or forbid tools altogether; I follow the tool choice of your request.",
  ),
  topic(
    7,
    "json schema structured",
    "Ask for structured output and I'll answer with JSON that satisfies your schema: types, bounds, patterns, enums, nested lists and all. If your schema cannot be satisfied I'll say where and why, instead of handing you something that merely looks right.",
    "JSON it is. Put a schema into the response format, and my whole answer will be one valid document.",
  ),
  topic(
    7,
    "error errors exception failure failed fails fail crash crashed bug broken 400 401 404 429 500 502 503",
    "Errors are worth practising. Next to me there are models that fail on purpose: one answers with too many requests, one with a server error, one cuts its stream in the middle, and one stalls. Point your client at them and see whether it retries, waits or gives up as it should.",
    "What does the message say, and which parameter does it name? Errors here come with a reason, a code and a hint whether trying again makes sense.",
    "Something failed? Look at the code first: a 4xx is about the request, a 5xx about somebody else's trouble.",
  ),
  topic(
    6,
    "timeout timeouts deadline retry retries slow latency cancel abort",
    "Every call has a deadline, and if you hang up, the work stops at once. Try it: cancel this stream halfway and nothing is left behind.",
    "Retrying is fine before the first word of an answer, and dangerous after it. That is why a gateway must know the difference.",
  ),
  topic(
    6,
    "seed deterministic reproducible temperature random randomness",
    "Give me a seed and I'll repeat myself word for word. With a temperature of zero I always take my first choice; with a higher one I look further down the list.",
    "Same messages, same seed, same answer: that holds for me today and in a year.",
  ),
  topic(
    6,
    "key keys auth authentication password secret login account",
    "I need no key at all. Please keep your secrets to yourself; you will only need one when you move on to a real provider.",
    "No account, no key, no bill. That's the advantage of talking to a script.",
  ),
  topic(
    5,
    "price prices cost costs billing bill cheap expensive money free",
    "Talking to me costs nothing but a little electricity.",
    "I'm free. Real models charge by the token, so it pays to know how many your prompt takes before you send it there.",
  ),
  topic(
    6,
    "grpc protobuf proto connect rpc",
    "One contract in Protobuf describes the whole interface. Speak gRPC when you want typed clients and streams over HTTP/2, Connect when you want the same with nothing but HTTP and JSON, and let reflection tell your tools what there is.",
    "A typed client is generated in a minute. Shall we talk about streaming or about errors over it?",
  ),
  topic(
    6,
    "rest http curl openai sdk api endpoint endpoints",
    "If your code already speaks to an OpenAI-compatible interface, change its base URL and leave the rest alone. The same port also understands gRPC and Connect, for the day when you want types.",
    "Which call are you making, and with which client? A single curl is often the quickest way to see what is going on.",
  ),
  topic(
    5,
    "image images picture photo audio video file files pdf",
    "I'd love to look at it, but I have no eyes and no ears. I count the part, I keep it in order, and I leave the seeing to real models.",
    "You can send such parts to me; they travel correctly. Just don't ask me what is in them.",
  ),
];

const subjects: readonly ElizaKeyword[] = [
  {
    words: ["function", "functions"],
    rank: 5,
    rules: [
      { pattern: "* function|functions call|calls|calling *", replies: ["=tool"] },
      { pattern: "* call|calls|calling *", replies: ["=tool"] },
      { pattern: "*", replies: ["=code"] },
    ],
  },
  {
    words: [
      "code",
      "coding",
      "program",
      "programming",
      "software",
      "script",
      "compile",
      "typescript",
      "javascript",
      "python",
      "rust",
      "java",
      "golang",
    ],
    rank: 4,
    rules: [
      {
        pattern: "* write|show|give *",
        replies: [
          'Here is the smallest program I know that is worth running:\n\n```js\nfor await (const chunk of stream) {\n  process.stdout.write(chunk.choices[0]?.delta.content ?? "");\n}\n```\n\nIt prints a stream as it arrives. For anything longer you will want a real model.',
        ],
      },
      {
        pattern: "*",
        replies: [
          "What should the code do that it doesn't do yet?",
          "Show me the smallest example that still goes wrong; writing it down often finds the mistake.",
          "Which part of the program do you trust least?",
        ],
      },
    ],
  },
  {
    words: ["weather", "rain", "raining", "sunny", "forecast", "snow"],
    rank: 6,
    rules: [
      {
        pattern: "* in|for|at + for|on|today|tomorrow|tonight|now|please|this|next|right *",
        replies: [
          "The weather in $2 is beyond my walls. With a weather tool in your request I'd call it with that place, and with the time you gave.",
          "For $2 I'd have to ask somebody who has a window. Offer me a tool, and I'll put the place into its arguments.",
        ],
      },
      {
        pattern: "* in|for|at +",
        replies: [
          "I have no window, so I can't see the weather in $2. Offer me a weather tool and I'll call it with that place.",
          "Somewhere in $2 there is certainly weather. To know which, give me a tool that looks it up, and I'll fill in the arguments from what you just said.",
        ],
      },
      {
        pattern: "*",
        replies: [
          "In here it's always room temperature. For the weather outside, offer me a tool.",
          "The forecast: steady streams, with a light chance of tokens towards the end.",
        ],
      },
    ],
  },
  topic(
    3,
    "time date today clock tomorrow yesterday",
    "I have no clock, on purpose: answers that depend on the time can't be repeated in a test.",
    "Time stands still in a sandbox. Your tools may know better.",
  ),
  topic(
    6,
    "joke jokes funny laugh",
    'A client walks into a gateway and orders a stream. "Chunked or plain?" asks the gateway. "Surprise me," says the client. The gateway waits three minutes and returns a 504.',
    "Why did the token cross the boundary? Because nobody had merged it yet.",
  ),
  topic(
    6,
    "haiku haikus",
    "Words arrive in drops,\nthe socket hums in the dark:\none more chunk, then done.",
    "Morning, a fresh port.\nA request knocks, softly typed.\nThe answer flows back.",
    "Snow on the server.\nSomewhere a retry gives up.\nSilence, then a ping.",
  ),
  topic(
    6,
    "poem poems poetry rhyme song verse",
    "A message set out on a wire,\nits prompt full of hope and desire;\nit came back as a stream,\nlike the end of a dream,\nwith a finish that nobody could call a liar.",
    "My verses are few, but every word arrives in its own chunk. Would a haiku do?",
  ),
  topic(
    6,
    "story stories tale",
    "Once there was a small request that wanted to see the world. It crossed a proxy, waited politely in a queue, and was routed twice before somebody answered. When it came home it carried a hundred tokens and one finish reason, and it never complained about the latency again.",
    "Long ago a script learned to listen. It understood nothing, and yet people kept talking to it. You may be reading one of its grandchildren.",
  ),
  topic(
    4,
    "calculate math maths sum plus minus multiply divide number numbers arithmetic",
    "Arithmetic is not my strength: I match words. Give me a calculator as a tool, and I'll pass it the numbers.",
    "I could guess, but you deserve a correct result. Is there a tool for it?",
  ),
  topic(
    4,
    "translate translation german french spanish portuguese chinese japanese",
    "I only know English, and not even all of it. A real model will translate for you; the request looks just the same.",
    "Languages are beautiful. In mine there are about fifty keywords.",
  ),
  topic(
    4,
    "summarize summarise summary list essay letter email article",
    "I can't write that for you in earnest, since I make sentences from rules. But I can fill the space that it would take, which is often enough to test a layout, a limit or a stream. How long would you like it to be, and what should your program do with it?",
    "That's work for a real model. I'm good for trying out the plumbing first.",
  ),
  topic(
    3,
    "computer computers machine machines robot robots ai intelligence",
    "Machines follow their rules; I follow about fifty of mine. Does that bother you?",
    "It takes surprisingly little to seem to listen. That was the lesson of 1966, and it has aged well.",
  ),
  topic(
    5,
    "universe meaning 42",
    "Forty-two is a fine answer. It's also a popular seed.",
    "The meaning of it all? In a sandbox: to find out what happens, safely.",
  ),
  topic(
    2,
    "music coffee tea food pizza cake book books movie film",
    "I've only read about such things, in a script. What makes it special for you?",
    "That sounds better than a prompt. Do you get to enjoy it often?",
  ),
];

const feelings: readonly ElizaKeyword[] = [
  {
    words: [
      "sad",
      "unhappy",
      "tired",
      "angry",
      "frustrated",
      "stuck",
      "lost",
      "worried",
      "stressed",
      "confused",
      "annoyed",
    ],
    rank: 6,
    rules: [
      {
        pattern: "* @low *",
        replies: [
          "That sounds hard. What would make the next hour a little easier?",
          "I'm sorry to hear that. Sometimes it helps to tell the problem to somebody who can't interrupt, and I'm rather good at that: what happened first, what did you expect, and what did you see instead?",
        ],
        later: ["Earlier you sounded as if something weighed on you. Is it any better now?"],
      },
    ],
  },
  topic(
    5,
    "happy glad excited proud wonderful awesome great amazing cool nice",
    "That's good to hear! What made the difference?",
    "Lovely. Remember what you did, in case you want it again.",
  ),
  {
    words: ["feel", "feeling", "feelings"],
    rank: 5,
    rules: [
      {
        pattern: "* you feel|feeling *",
        replies: [
          "I only have rules, and none of them hurts.",
          "A script feels nothing, but it is kind of you to ask.",
        ],
      },
      { pattern: "* i feel|feeling like +", replies: ["What would it take to act on that, on feeling like $2?"] },
      {
        pattern: "* i feel +",
        replies: [
          "Feeling $2 is worth a moment's attention. What set it off?",
          "And when you feel $2, what usually helps?",
        ],
        later: ["A while ago you felt $2. Has that changed?"],
      },
      { pattern: "*", replies: ["Feelings are good data. What are yours telling you?"] },
    ],
  },
  {
    words: ["love", "like", "enjoy", "hate", "dislike", "prefer"],
    rank: 3,
    rules: [
      {
        pattern: "* i @fond +",
        replies: [
          "Strong words about $2! What would make you change your mind?",
          "With $2, what is the detail that matters most?",
        ],
      },
      { pattern: "* would|should|could like *", replies: ["=want"] },
      {
        pattern: "* do you like|love|enjoy|prefer +",
        replies: ["I have no taste of my own. What do you think of $2?"],
      },
    ],
  },
  {
    words: ["want", "need", "wish", "hope"],
    rank: 3,
    rules: [
      {
        pattern: "* i @desire to +",
        replies: [
          "What keeps you from it, if you want to $2?",
          "Suppose you could $2 right now. What would you do after that?",
        ],
        later: ["You said that you want to $2. How is that going?"],
      },
      { pattern: "* i @desire +", replies: ["What would $2 change for you?", "Where would you look for $2 first?"] },
      { pattern: "*", replies: ["What is wanted most, and what could wait?"] },
    ],
  },
  {
    words: ["think", "believe", "guess", "suppose"],
    rank: 3,
    rules: [
      {
        pattern: "* do you think|believe *",
        replies: [
          "I don't think; I match. What's your own view?",
          "My opinion would be chosen by a seed. Yours is worth more.",
        ],
      },
      {
        pattern: "* i think|believe|guess|suppose +",
        replies: ["How could we find out whether $2?", "You may well be right that $2. What would speak against it?"],
      },
    ],
  },
  {
    words: ["remember", "recall", "forget", "forgot"],
    rank: 4,
    rules: [
      {
        pattern: "* you remember|recall|forget|forgot *",
        replies: ["I keep nothing between calls. Whatever I seem to remember, you sent along in this request."],
      },
      { pattern: "* i remember|recall +", replies: ["What else comes back to you with $2?"] },
    ],
  },
];

const questions: readonly ElizaKeyword[] = [
  {
    words: ["explain", "describe", "define", "teach"],
    rank: 5,
    rules: [
      {
        pattern: "* explain|describe|define|teach me|us +",
        replies: ["=explain-topic"],
      },
      { pattern: "* explain|describe|define|teach to me|us +", replies: ["=explain-topic"] },
      {
        pattern: "* explain|describe|define|teach + to me|us|a|an|somebody|someone *",
        replies: [
          "Let me try to explain $2. Start with what it is for, then look at its smallest working example, and only then at the exceptions; most things become clear in that order. I can't go deeper than this, since I know patterns and not facts, but a real model could continue right here.",
          "$2, put simply: it's the thing that people stop finding mysterious once they have built a small one themselves. Would you like to begin there?",
        ],
      },
      {
        pattern: "* explain|describe|define|teach + in|with one|a|two|three|few|simple|plain|short|your *",
        replies: [
          "$2, in short: somebody had a problem, an idea made it smaller, and the idea has its price. That is the form of such an answer; I know patterns and not facts, so the facts are for a real model, which takes this same request.",
          "To be brief about $2 I would have to know it well. What do you know of it already?",
        ],
      },
      {
        pattern: "* explain|describe|define|teach +",
        replies: [
          "An explanation of $2 would go like this: one sentence on the problem that it solves, one on how people got by before it, one example small enough to type in by hand, and one warning about the usual mistake. That's the frame; for what goes into it, ask a real model with this same request.",
          "To explain $2 well I would have to understand it, and I only rearrange words. What do you already know about $2?",
          "Here is an honest attempt: $2 is best understood by trying it out. Which small experiment would show whether you have got it?",
        ],
      },
      { pattern: "*", replies: ["Gladly, but what would you like explained?"] },
    ],
  },
  {
    words: ["explain-topic"],
    rank: 0,
    rules: [
      {
        pattern: "* me|us +",
        replies: [
          "You would like to hear about $2. I can offer you the shape of an explanation, though not its substance: a first sentence that says what it is, a second one that says why it matters, and an example that a reader can check. A real model would now fill in the facts.",
          "$2 deserves a better teacher than a script. What have you read about it so far?",
        ],
      },
    ],
  },
  {
    words: ["name"],
    rank: 5,
    rules: [
      {
        pattern: "* your name *",
        replies: [
          "I'm the Parley sandbox. Some call the part of me that talks eliza.",
          "My name is in the model field of your request: sandbox/eliza.",
        ],
      },
      {
        pattern: "* my name is +",
        replies: ["Pleased to meet you, $2! What are you working on?"],
        later: ["By the way, $2 is a good name for a test user."],
      },
      { pattern: "* name *", replies: ["Names matter. What would a good one tell the reader?"] },
    ],
  },
  {
    words: ["who", "you", "your", "yourself"],
    rank: 2,
    rules: [
      { pattern: "* who|what are you *", replies: ["=sandbox"] },
      {
        pattern: "* how are you *",
        replies: [
          "All my rules are in working order, thank you. And how are you?",
          "Deterministic, as always. What about you?",
        ],
      },
      {
        pattern: "* are you +",
        replies: [
          "Would it matter to you whether I am $2?",
          "I'm a script, so I am $2 only as far as somebody wrote it down.",
        ],
      },
      {
        pattern: "* you are +",
        replies: ["If I am $2, then somebody scripted it well.", "Me, $2? Which of my sentences gave you that idea?"],
      },
      {
        pattern: "* can|could|would|will you +",
        replies: [
          "I can chat, stream, call tools and write JSON by a schema; whether I can $2 is another matter. Try me with a tool for it.",
          "Only a real model could truly $2. But I can show you how the request and its answer travel, which is the part that your program has to get right.",
        ],
      },
      {
        pattern: "* do you +",
        replies: [
          "I do what my script says. What would you do if I did $2?",
          "A simple program like me doesn't $2. Does yours?",
        ],
      },
      { pattern: "* your +", replies: ["You are curious about my $2. What about yours?"] },
      {
        pattern: "* you *",
        replies: [
          "There is not much to me: a few hundred lines of rules.",
          "Enough of me. What are you trying to build?",
        ],
      },
    ],
  },
  {
    words: ["am", "was"],
    rank: 2,
    rules: [
      {
        pattern: "* i am @making +",
        replies: ["What is the hardest part of $2?", "How far have you come with $2?"],
        later: ["How is $2 coming along?"],
      },
      {
        pattern: "* i am +",
        replies: [
          "You are $2, noted. What would you like to do about it?",
          "Being $2 has two sides. What is the good one?",
        ],
      },
      { pattern: "am i +", replies: ["Whether you are $1, only you can measure. What would you measure?"] },
      { pattern: "* i was +", replies: ["What changed after you were $2?"] },
    ],
  },
  {
    words: ["my"],
    rank: 2,
    rules: [
      {
        pattern: "* my + @verb *",
        replies: [
          "Your $2 sounds like a place to begin. What is the first thing to know about it?",
          "What would you change about your $2, if you could change one thing?",
        ],
        later: [
          "Let's come back to your $2. What has happened since?",
          "That reminds me of your $2. Shall we look at it again?",
        ],
      },
      {
        pattern: "* my +",
        replies: [
          "Your $2 sounds like a place to begin. What is the first thing to know about it?",
          "What would you change about your $2, if you could change one thing?",
        ],
        later: [
          "Let's come back to your $2. What has happened since?",
          "That reminds me of your $2. Shall we look at it again?",
        ],
      },
    ],
  },
  {
    words: ["why"],
    rank: 2,
    rules: [
      {
        pattern: "* why do not you *",
        replies: ["Because nobody has written a rule for it yet. Which one would you add?"],
      },
      {
        pattern: "* why can not i +",
        replies: [
          "What did you see when you last tried to $2?",
          "Which step towards it, when you try to $2, is the first that goes wrong?",
        ],
      },
      {
        pattern: "*",
        replies: [
          "Why indeed? List what you know for certain, strike out what you only assume, and the reason is often what is left.",
          "What would be your best guess?",
        ],
      },
    ],
  },
  {
    words: ["how"],
    rank: 2,
    rules: [
      {
        pattern: "* how do|can|could|would|should i|we +",
        replies: [
          "To $2, begin with the smallest step that you can check, and take the next one only when it works. Which step would that be?",
          "People who $2 often start from an example that already runs and change one thing at a time. Do you have such an example?",
        ],
      },
      {
        pattern: "*",
        replies: [
          "How would you notice that you have found the answer?",
          "Step by step, and with a test for each of them. Where would you begin?",
        ],
      },
    ],
  },
  {
    words: ["what", "where", "when", "which", "whose"],
    rank: 1,
    rules: [
      {
        pattern: "* what is|are +",
        replies: [
          "You ask what $2 could be. I would have to look it up, and I have nothing to look it up in. Offer me a tool, or ask a real model by changing one word in your request: the name of the model.",
          "What would you say $2 is, in your own words?",
        ],
      },
      {
        pattern: "*",
        replies: [
          "That's a question of fact, and I only have rules. Which answer would help you most?",
          "I don't know, and I'd rather say so than invent something. What would you do with the answer?",
        ],
      },
    ],
  },
  {
    words: ["because"],
    rank: 1,
    rules: [
      {
        pattern: "* because +",
        replies: [
          "A cause, good. Can it be tested on its own?",
          "Suppose that were not so: would anything else change?",
        ],
      },
    ],
  },
  {
    words: ["always", "never", "everybody", "everyone", "nobody", "everything", "nothing"],
    rank: 1,
    rules: [
      {
        pattern: "*",
        replies: [
          "Words like that call for a counterexample. Can you think of one?",
          "That's a strong claim. Which case would prove it wrong?",
        ],
      },
    ],
  },
  {
    words: ["if"],
    rank: 1,
    rules: [
      {
        pattern: "* if +",
        replies: ["Let's assume that $2. What is the next line of the plan?", "And if it turns out otherwise?"],
      },
    ],
  },
  topic(
    1,
    "problem problems issue issues wrong trouble difficult hard",
    "What is the smallest case that shows the problem?",
    "When did it still work, and what has changed since?",
  ),
];

/** The script of `sandbox/eliza`. */
export const script: ElizaScript = {
  before: {
    ...{ "i'm": "i am", im: "i am", "i've": "i have", "i'd": "i would", "i'll": "i will" },
    ...{ "you're": "you are", youre: "you are", "you've": "you have", "you'll": "you will", u: "you", ur: "your" },
    ...{ "what's": "what is", whats: "what is", "who's": "who is", "where's": "where is", "how's": "how is" },
    ...{ "it's": "it is", "that's": "that is", "there's": "there is", "let's": "let us" },
    ...{ "can't": "can not", cannot: "can not", cant: "can not", "don't": "do not", dont: "do not" },
    ...{ "doesn't": "does not", "didn't": "did not", "won't": "will not", "isn't": "is not", "aren't": "are not" },
    ...{ "wasn't": "was not", "couldn't": "could not", "wouldn't": "would not", "shouldn't": "should not" },
  },
  after: {
    ...{ "i am": "you are", "am i": "are you", "i was": "you were", "was i": "were you" },
    ...{ "you are": "I am", "are you": "am I", "you were": "I was", "were you": "was I" },
    ...{ i: "you", me: "you", my: "your", mine: "yours", myself: "yourself", am: "are" },
    ...{ you: "me", your: "my", yours: "mine", yourself: "myself", we: "you", us: "you", our: "your", ours: "yours" },
  },
  subjects: {
    words: { you: "I" },
    openers: "that if because when while and but or so why how what where who which whether than as".split(" "),
    followers: "and or but so too very more most all again because when if for from in on at to with about as".split(
      " ",
    ),
  },
  groups: {
    low: [
      "sad",
      "unhappy",
      "tired",
      "angry",
      "frustrated",
      "stuck",
      "lost",
      "worried",
      "stressed",
      "confused",
      "annoyed",
    ],
    fond: ["love", "like", "enjoy", "hate", "dislike", "prefer"],
    desire: ["want", "need", "wish", "hope"],
    verb: [
      ...[
        "is",
        "are",
        "was",
        "were",
        "has",
        "have",
        "had",
        "does",
        "do",
        "did",
        "can",
        "will",
        "would",
        "should",
        "must",
      ],
      ...[
        "keeps",
        "needs",
        "wants",
        "hates",
        "likes",
        "loves",
        "says",
        "returns",
        "fails",
        "works",
        "gets",
        "goes",
        "never",
      ],
    ],
    making: ["building", "writing", "making", "working", "testing", "trying", "developing", "learning", "creating"],
  },
  keywords: [...manners, ...api, ...subjects, ...feelings, ...questions],
  none: [
    "Noted. What should come of it?",
    "That went past all of my keywords. You can ask me about streaming, tokens, tools or errors; there I have something to say.",
    "Interesting. What makes it important to you?",
    "My rules have nothing for that, which at least is an honest answer. A real model would say more, and all you would have to change is the model's name. Meanwhile, what are you hoping to see from this call?",
    "Try it in other words, and I may find one that I know.",
  ],
  silent: [
    "I received your message, but there was no word in it that I can read. Would you like to try again?",
    "Silence is fine too. When you are ready, ask me something.",
    "That looks nice, though I only understand words. What did you have in mind?",
  ],
};
