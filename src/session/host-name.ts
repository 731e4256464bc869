import { hostname } from "node:os";

/** What this host is called in sessions and in databases: `JOULEBENCH_HOST`, where boards are all named alike, else its own name. */
export const hostName = (): string => process.env.JOULEBENCH_HOST || hostname();
