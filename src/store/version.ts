import { readFileSync } from "node:fs";

/** Version of this joulebench, from the package it was installed with. */
export const VERSION = (JSON.parse(readFileSync(new URL("../../package.json", import.meta.url), "utf8")) as { version: string }).version;
