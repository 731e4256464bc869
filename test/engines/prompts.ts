import type { Random } from "../../src/simulate/random.ts";

/** What shells, argument parsers and links trip over. */
const PIECES = [
  "'",
  '"',
  "`",
  "$(touch hit)",
  "$HOME",
  "\\",
  "\\n",
  "\n",
  " ",
  "\t",
  "-",
  "--",
  "-p",
  "{request}",
  "%s",
  "!",
  "*",
  "~",
  ";",
  "&",
  "|",
  "<",
  ">",
  "#",
  "é",
  "日本",
  "🙂",
  "a",
  "word",
  "\r",
];

/** So many prompts of such pieces; every fifth begins with a dash. */
export function prompts(random: Random, count: number): string[] {
  return Array.from({ length: count }, (_, at) => {
    const length = 1 + Math.floor(random() * 12);
    const text = Array.from({ length }, () => PIECES[Math.floor(random() * PIECES.length)]).join("");
    return at % 5 === 0 ? `-${text}` : text;
  });
}
