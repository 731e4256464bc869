// tsc writes plain files; the bin entry must be executable. Done in Node so that the build needs no shell.
import { chmodSync } from "node:fs";

chmodSync("dist/main.js", 0o755);
