import type { EngineRequest } from "../model/engine.ts";
import { JoulebenchError } from "../model/errors.ts";

/**
 * Fills `{prompt}`, `{request}`, `{prompt_tokens}` and `{output_tokens}` into the elements of a command line.
 *
 * Each stays inside its element, whatever it holds, and what was filled in is not looked at again.
 *
 * @throws JoulebenchError `config` when the request has no such value
 */
export function fill(argv: readonly string[], request: EngineRequest, subject: string): string[] {
  const values: Readonly<Record<string, string | undefined>> = {
    prompt: promptText(request),
    request: request.id,
    prompt_tokens: request.promptTokens?.toString(),
    output_tokens: request.outputTokens?.toString(),
  };
  return argv.map((element) =>
    element.replace(/\{(prompt|request|prompt_tokens|output_tokens)\}/g, (whole, name: string) => {
      const value = values[name];
      if (value === undefined)
        throw new JoulebenchError("config", subject, `request ${request.id} has no ${name}, but its command line says ${whole}`);
      return value;
    }),
  );
}

/** A text as it is; a chat as JSON. */
function promptText({ prompt }: EngineRequest): string | undefined {
  return typeof prompt === "string" || prompt === undefined ? prompt : JSON.stringify(prompt);
}
