import { gunzipSync } from "node:zlib";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { END, event, mean, open, result, resultsOf } from "./bench.ts";
import { ScriptedServer, say } from "./scripted.ts";

/** As the vendors' references of the three write endpoints say: path, query, headers, body. */
describe("a write", () => {
  let server: ScriptedServer;
  beforeEach(async () => {
    server = await ScriptedServer.start();
    process.env.JOULEBENCH_TEST_SECRET = "s3cret";
  });
  afterEach(async () => {
    delete process.env.JOULEBENCH_TEST_SECRET;
    await server.stop();
  });
  const power =
    'power,channel=main,host=lab-1,rig=bench\\ 1,source=meter session="s-1",power_w=2.5,power_min_w=2,power_max_w=3,duration_s=0.1';

  test.each([
    [
      "1.x",
      { flavor: 1, database: "lab 1", username: "u", password_env: "JOULEBENCH_TEST_SECRET" },
      "/write?db=lab%201&precision=ns",
      `Basic ${Buffer.from("u:s3cret").toString("base64")}`,
    ],
    [
      "2.x",
      { flavor: 2, database: "b&1", org: "lab", token_env: "JOULEBENCH_TEST_SECRET" },
      "/api/v2/write?org=lab&bucket=b%261&precision=ns",
      "Token s3cret",
    ],
    [
      "3.x",
      { flavor: 3, database: "lab", token_env: "JOULEBENCH_TEST_SECRET" },
      "/api/v3/write_lp?db=lab&precision=nanosecond&accept_partial=true",
      "Bearer s3cret",
    ],
    ["1.x behind a proxy, without a user", { flavor: 1, path: "/influx" }, "/influx/write?db=joulebench&precision=ns", undefined],
    ["3.x without a token", { flavor: 3 }, "/api/v3/write_lp?db=joulebench&precision=nanosecond&accept_partial=true", undefined],
  ])("%s", async (_, rig, url, authorization) => {
    const { sink } = open({ ...rig, port: server.port });
    sink.power?.(mean(0));
    expect(await sink.close(END)).toMatchObject({ sent: 1, refused: 0, waiting: 0 });
    const [write] = server.writes;
    expect(write).toMatchObject({ method: "POST", url, headers: { "content-type": "text/plain; charset=utf-8" } });
    expect(write!.headers.authorization).toBe(authorization);
    expect(write!.headers["content-encoding"]).toBeUndefined();
    expect(write!.bytes.toString()).toBe(`${power} 1767323045123456789\n`);
  });

  test("is compressed when it is long enough to gain by it, and the rig lets it", async () => {
    for (const gzip of [true, false]) {
      const { sink } = open({ port: server.port, gzip });
      for (let k = 0; k < 100; k++) sink.power?.(mean(k));
      await sink.close(END);
      const write = server.writes.at(-1)!;
      expect(write.headers["content-encoding"]).toBe(gzip ? "gzip" : undefined);
      expect((gzip ? gunzipSync(write.bytes) : write.bytes).toString().split("\n")).toHaveLength(101);
    }
  });

  test.each([
    ["1.x", { flavor: 1 }, "/write?db=joulebench&rp=raw&precision=ns", "/write?db=joulebench&precision=ns"],
    [
      "2.x",
      { flavor: 2, org: "o" },
      "/api/v2/write?org=o&bucket=joulebench_raw&precision=ns",
      "/api/v2/write?org=o&bucket=joulebench&precision=ns",
    ],
    ["3.x", { flavor: 3 }, "/api/v3/write_lp?db=joulebench_raw&", "/api/v3/write_lp?db=joulebench&"],
  ])("with retention, power and events lie apart from results: %s", async (_, rig, raw, results) => {
    const { sink } = open({ ...rig, port: server.port, retention: {} });
    sink.power?.(mean(0));
    sink.event?.(event, 1);
    sink.results?.(resultsOf([result]));
    expect(await sink.close(END)).toMatchObject({ refused: 0, waiting: 0 });
    const tables = (url: string) =>
      server.writes.filter((each) => each.url.startsWith(url)).flatMap(({ lines }) => lines.map((line) => line.split(",")[0]));
    expect(tables(raw).sort()).toEqual(["event", "power"]);
    expect(tables(results).sort()).toEqual(["annotation", "annotation", "inference", "summary", "validity"]);
  });

  test("has the rig's own tags, and every tag of its measurement whether there is something to say or not", async () => {
    const { sink } = open({ port: server.port, tags: { lab: "north" } });
    sink.results?.(resultsOf([result]));
    await sink.close(END);
    const inference = server.writes.flatMap(({ lines }) => lines).find((line) => line.startsWith("inference"));
    expect(inference).toMatch(
      /^inference,channel=main,engine=none,host=lab-1,lab=north,model=none,phase=decode,quant=none,rig=bench\\ 1,source=meter,stage=none /,
    );
  });
});

describe("what a server says of a bad point is kept in its own words", () => {
  test.each([
    ["1.x", { flavor: 1 }, 400, { error: "partial write: field type conflict dropped=1" }, "400 partial write: field type conflict"],
    [
      "2.x",
      { flavor: 2, org: "o" },
      422,
      { code: "unprocessable entity", message: "failure writing points" },
      "422 failure writing points",
    ],
    [
      "3.x",
      { flavor: 3 },
      400,
      {
        error: "partial write of line protocol occurred",
        data: [{ error_message: "invalid column type", line_number: 2, original_line: "x" }],
      },
      "400 partial write of line protocol occurred: invalid column type",
    ],
  ])("%s", async (...[, rig, status, body, words]) => {
    const server = await ScriptedServer.start(({ lines }, response) => {
      if (!lines.some((line) => line.includes("power_w=13"))) return undefined;
      server.keep(lines.filter((line) => !line.includes("power_w=13")));
      return say(response, status, body);
    });
    const { sink } = open({ ...rig, port: server.port });
    for (let k = 0; k < 20; k++) sink.power?.(mean(k, k));
    expect(await sink.close(END)).toMatchObject({ sent: 19, refused: 1, waiting: 0, reason: `1 points: ${words}` });
    expect(server.points.size).toBe(19);
    await server.stop();
  });
});
