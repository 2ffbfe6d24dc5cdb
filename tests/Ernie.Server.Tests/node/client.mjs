// Streams a chat and a completion through the official client and prints what it saw as JSON.
import OpenAI from "openai";

const client = new OpenAI({ baseURL: `${process.argv[2]}/v1`, apiKey: process.argv[3] ?? "none", maxRetries: 0 });
const models = await client.models.list();
const model = models.data[0].id;

const chat = { text: "", role: null, finish: [], usage: null, chunks: 0 };
const chatStream = await client.chat.completions.create({
  model,
  messages: [{ role: "user", content: "hello" }],
  max_tokens: 12,
  temperature: 0,
  stream: true,
  stream_options: { include_usage: true },
});
for await (const chunk of chatStream) {
  chat.chunks++;
  for (const choice of chunk.choices) {
    chat.text += choice.delta.content ?? "";
    chat.role ??= choice.delta.role ?? null;
    if (choice.finish_reason) chat.finish.push(choice.finish_reason);
  }
  chat.usage = chunk.usage ?? chat.usage;
}

const completion = { text: "", finish: [], chunks: 0 };
const completionStream = await client.completions.create({ model, prompt: "Once upon", max_tokens: 12, temperature: 0, stream: true });
for await (const chunk of completionStream) {
  completion.chunks++;
  for (const choice of chunk.choices) {
    completion.text += choice.text;
    if (choice.finish_reason) completion.finish.push(choice.finish_reason);
  }
}

const plain = await client.chat.completions.create({ model, messages: [{ role: "user", content: "hello" }], max_tokens: 12, temperature: 0 });

let error = null;
try {
  await client.chat.completions.create({ model, messages: [] });
} catch (failure) {
  error = { status: failure.status, param: failure.param };
}

console.log(JSON.stringify({ model, chat, completion, plain: plain.choices[0].message.content, error }));
