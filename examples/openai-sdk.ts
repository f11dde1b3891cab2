import OpenAI from "openai";

const url = process.env["PARLEY_URL"] ?? "http://127.0.0.1:8080";
const openai = new OpenAI({ baseURL: `${url}/v1`, apiKey: "none needed" });

const stream = await openai.chat.completions.create({
  model: "auto",
  messages: [{ role: "user", content: "Tell me about streaming" }],
  stream: true,
});
for await (const chunk of stream) process.stdout.write(chunk.choices[0]?.delta.content ?? "");
process.stdout.write("\n");
