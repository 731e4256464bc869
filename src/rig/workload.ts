import { z } from "zod";

const Tokens = z.int().positive().max(10_000_000);
const Count = z.int().positive().max(100_000);
const File = z.string().min(1).optional();
const Prompts = z.array(z.string().min(1)).min(1).optional();
const OutputTokens = Tokens.optional().describe("At most so many output tokens; left out, the engine's own limit");

/** Either the texts themselves, or the file that holds them. */
const oneOf =
  (key: string) =>
  ({ value, issues }: { readonly value: Readonly<Record<string, unknown>>; readonly issues: unknown[] }): void => {
    if ((value[key] === undefined) === (value.file === undefined))
      issues.push({ code: "custom", message: `expected \`${key}\` or \`file\`, and not both`, input: value });
  };

/** What the device is made to do in a cell. Files stand relative to the plan; {@link readItems} reads them. */
export const Workload = z.discriminatedUnion("kind", [
  z.strictObject({ kind: z.literal("device") }),
  z.strictObject({ kind: z.literal("prompts"), prompts: Prompts, file: File, output_tokens: OutputTokens }).check(oneOf("prompts")),
  z
    .strictObject({
      kind: z.literal("conversations"),
      conversations: z
        .array(z.array(z.string().min(1)).min(1))
        .min(1)
        .optional(),
      file: File,
      output_tokens: OutputTokens,
    })
    .check(oneOf("conversations")),
  z
    .strictObject({ kind: z.literal("sustained"), prompts: Prompts, file: File, count: Count.default(50), output_tokens: OutputTokens })
    .check(oneOf("prompts")),
  z.strictObject({ kind: z.literal("fixed"), prompt_tokens: Tokens, output_tokens: Tokens, count: Count.default(10) }),
  z.strictObject({ kind: z.literal("context_sweep"), prompt_tokens: z.array(Tokens).min(1), output_tokens: Tokens.default(16) }),
  z.strictObject({
    kind: z.literal("command"),
    argv: z.array(z.string()).min(1),
    count: Count.default(1),
    unit: z
      .string()
      .regex(/^(?!warmup-)./s, "expected a name that does not begin with warmup-, for such requests are not counted")
      .default("run"),
  }),
  z.strictObject({ kind: z.literal("choices"), file: z.string().min(1), output_tokens: Tokens.default(8) }),
]);
export type Workload = z.infer<typeof Workload>;
