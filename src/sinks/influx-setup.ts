import type { SetupStep } from "../model/sink.ts";
import { placeOf } from "./influx-flavor.ts";
import { type InfluxOptions, secretOf } from "./influx-options.ts";
import { setup1 } from "./influx-setup-1.ts";
import { Administration, setup2 } from "./influx-setup-2.ts";

const SETUP = { 1: setup1, 2: setup2, 3: setup3 } as const;

/** What `joulebench influx setup` does, in order; doing it again changes nothing. @throws JoulebenchError `config` without the secret */
export const setupInflux = (options: InfluxOptions): readonly SetupStep[] => SETUP[options.flavor](options, secretOf(options));

/**
 * InfluxDB 3: a database for each retention. Core keeps the retention a database was made with, and downsampling there
 * is the work of a plugin on the server, which no API installs: neither can be set here.
 */
function setup3(options: InfluxOptions, secret: string | undefined): readonly SetupStep[] {
  const { retention } = options;
  const server = new Administration(options, secret);
  const PATH = "/api/v3/configure/database";
  return (retention ? (["results", "raw"] as const) : (["results"] as const)).map((kept) => {
    const span = retention?.[kept] ?? "inf";
    const body = { db: placeOf(options, kept).database, ...(span === "inf" ? {} : { retention_period: span }) };
    // 409: it is there already.
    return {
      text: `POST ${PATH} ${JSON.stringify(body)}`,
      run: async () => {
        await server.call("POST", PATH, body, [409]);
      },
    };
  });
}
