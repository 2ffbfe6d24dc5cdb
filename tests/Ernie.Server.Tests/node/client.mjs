// Streams a chat and a completion through the official client and prints what it saw as JSON.
import OpenAI from "openai";

const client = new OpenAI({ baseURL: `${process.argv[2]}/v1`, apiKey: process.argv[3] ?? "none", maxRetries: 0 });
const models = await client.models.list();
const model = models.data[0].id;
const limits = { model, max_tokens: 12, temperature: 0 };
const messages = [{ role: "user", content: "hello" }];
const prompt = "Once upon";

const chat = { text: "", plain: "", role: null, finish: [], usage: null, chunks: 0 };
for await (const chunk of await client.chat.completions.create({ ...limits, messages, stream: true, stream_options: { include_usage: true } })) {
  chat.chunks++;
  for (const choice of chunk.choices) {
    chat.text += choice.delta.content ?? "";
    chat.role ??= choice.delta.role ?? null;
    if (choice.finish_reason) chat.finish.push(choice.finish_reason);
  }
  chat.usage = chunk.usage ?? chat.usage;
}
chat.plain = (await client.chat.completions.create({ ...limits, messages })).choices[0].message.content;

const completion = { text: "", plain: "", finish: [], chunks: 0 };
for await (const chunk of await client.completions.create({ ...limits, prompt, stream: true })) {
  completion.chunks++;
  for (const choice of chunk.choices) {
    completion.text += choice.text;
    if (choice.finish_reason) completion.finish.push(choice.finish_reason);
  }
}
completion.plain = (await client.completions.create({ ...limits, prompt })).choices[0].text;

let error = null;
try {
  await client.chat.completions.create({ model, messages: [] });
} catch (failure) {
  error = { status: failure.status, param: failure.param };
}

console.log(JSON.stringify({ model, chat, completion, error }));
