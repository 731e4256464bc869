import { z } from "zod";
import { defineEngine } from "../model/engine.ts";
import { App } from "./app-engine.ts";
import { refusalOf } from "./failure.ts";
import { fill } from "./placeholders.ts";

const Argv = z.array(z.string()).min(1);

export const AppOptions = z
  .strictObject({
    start: Argv.optional().describe("Starts the app: [am, start, -W, -n, com.example/.Bench]; without it the app runs already"),
    request: Argv.optional().describe(
      "Makes it do one request; {prompt}, {request}, {prompt_tokens}, {output_tokens} are filled in. Without it its own next request counts",
    ),
    stop: Argv.optional().describe("Ends the app: [am, force-stop, com.example]"),
    alive: Argv.optional().describe("Fails when the app is gone: [pidof, com.example]; asked when a request took too long"),
    events: z
      .union([
        z.strictObject({
          file: z.string().min(1).describe("A file of the device, one event per line"),
          prefix: z.array(z.string()).default([]).describe("Put before the command that reads it: [run-as, com.example]"),
        }),
        z.strictObject({ logcat: z.string().min(1).describe("The tag of its messages in Android's log") }),
        z.literal("output"),
      ])
      .describe("Where its events are: {file: …}, {logcat: TAG} or output, the standard output of start"),
    ready: z.enum(["started", "load_end"]).default("started").describe("When it is ready: once start has ended, or at its event load_end"),
    load_s: z.number().positive().default(120).describe("How long it may take to be ready"),
  })
  .refine(({ events, start }) => events !== "output" || start !== undefined, {
    path: ["start"],
    error: "needed where events are its output",
  });

/** An app that measures itself and writes events in joulebench's own format. */
export const app = defineEngine({
  kind: "app",
  summary: "an app that writes events (docs/device-protocol.md) to a file, Android's log or its output",
  options: AppOptions,
  parser: "jsonl",
  refuses: (request, options) => refusalOf(() => fill(options.request ?? [], request, "app")),
  open: async (options, context) => new App(options, context),
});
