/** How JSON.parse complains of a token that no JSON has; it tells its position of every fault but this. */
const NO_TOKEN = "Unexpected token";

/** The line, counted from 1, at which a text ceases to be JSON; undefined when all of it is. */
export function faultyLine(text: string): number | undefined {
  const complaint = complaintOf(text);
  if (complaint === undefined) return undefined;
  const position = /position (\d+)/.exec(complaint)?.[1];
  if (position !== undefined) return text.slice(0, Number(position)).split("\n").length;
  const lines = text.trimEnd().split("\n");
  return complaint.startsWith(NO_TOKEN) ? lineOfToken(lines) : lines.length;
}

/** Of so many lines from the first the complaint is another one as long as the token is not among them. */
function lineOfToken(lines: readonly string[]): number {
  let [before, line] = [0, lines.length];
  while (line - before > 1) {
    const middle = (before + line) >> 1;
    if (complaintOf(lines.slice(0, middle).join("\n"))?.startsWith(NO_TOKEN)) line = middle;
    else before = middle;
  }
  return line;
}

function complaintOf(text: string): string | undefined {
  try {
    JSON.parse(text);
    return undefined;
  } catch (cause) {
    return (cause as SyntaxError).message;
  }
}
