import { z } from "zod";
import { defineEngine } from "../model/engine.ts";
import { refusalOf } from "./failure.ts";
import { callFor } from "./llama-server-call.ts";
import { LlamaServer } from "./llama-server-engine.ts";

export const LlamaServerOptions = z
  .strictObject({
    path: z.string().min(1).default("llama-server").describe("The program on the device"),
    model: z.string().min(1).optional().describe("The GGUF file on the device; needed unless attached"),
    port: z.int().min(1).max(65535).default(8080).describe("Port of the device's loopback interface it listens on"),
    attach: z.boolean().default(false).describe("It runs already: use it, start and stop nothing"),
    endpoint: z.enum(["completion", "chat"]).optional().describe("By default chats go to /v1/chat/completions, all else to /completion"),
    threads: z.int().positive().optional().describe("Threads it computes with; by default its own choice"),
    context: z.int().positive().optional().describe("Tokens of context; by default the model's"),
    seed: z.int().nonnegative().default(1).describe("Seed of the sampler"),
    temperature: z.number().nonnegative().default(0).describe("Temperature of the sampler; 0 takes the likeliest token"),
    metrics: z.boolean().default(false).describe("Read /metrics after each request, and start it with --metrics"),
    load_s: z.number().positive().default(300).describe("How long it may take until it answers"),
    arguments: z.array(z.string()).default([]).describe("More arguments for it"),
  })
  .refine(({ attach, model }) => attach || model !== undefined, { path: ["model"], error: "needed to start the server; or attach: true" });

/** llama.cpp's server: the model stays in memory, each request is timed token by token. */
export const llamaServer = defineEngine({
  kind: "llama-server",
  summary: "llama.cpp's llama-server: started here or attached to, asked over HTTP",
  options: LlamaServerOptions,
  parser: "llama-server",
  refuses: (request, options) => refusalOf(() => callFor(request, options)),
  open: (options, context) => LlamaServer.open(options, context),
});
