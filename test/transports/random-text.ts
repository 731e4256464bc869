import type { Random } from "../../src/simulate/random.ts";

/** Up to 40 characters, half of them such as shells care about, the others from everywhere but NUL and surrogates. */
export function randomText(random: Random): string {
  const special = "'\"\\`$(){}[]<>|&;*?~#!^=-+%@:,. \t\n\r";
  const character = (): string => {
    if (random() < 0.5) return special[Math.floor(random() * special.length)]!;
    const range = random() < 0.5 ? 0x7f : random() < 0.9 ? 0xd7ff : 0x10ffff;
    const code = 1 + Math.floor(random() * range);
    return code >= 0xd800 && code < 0xe000 ? "\ufffd" : String.fromCodePoint(Math.min(code, 0x10ffff));
  };
  return Array.from({ length: Math.floor(random() * 40) }, character).join("");
}
