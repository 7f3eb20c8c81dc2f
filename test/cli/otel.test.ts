// A result at an OpenTelemetry collector: what the real exporters send over HTTP, as a receiver of the test's own reads it.

import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { readPlan } from "../../src/plan/load.ts";
import { timelineOfResult } from "../../src/report/sections/timeline.ts";
import { writeResult } from "../../src/result/result_file.ts";
import { runOf } from "../support/made_up_run.ts";
import { shardbench } from "./shardbench.ts";

interface Attribute {
  readonly key: string;
  readonly value: { readonly stringValue?: string; readonly intValue?: number };
}

interface Span {
  readonly name: string;
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId?: string;
  readonly startTimeUnixNano: string;
  readonly endTimeUnixNano: string;
  readonly attributes: readonly Attribute[];
}

interface Metric {
  readonly name: string;
  readonly unit: string;
  readonly gauge: { readonly dataPoints: readonly { readonly asDouble?: number }[] };
}

interface Body {
  readonly resourceSpans?: { scopeSpans: { spans: Span[] }[] }[];
  readonly resourceMetrics?: { scopeMetrics: { metrics: Metric[] }[] }[];
}

const { plan, document } = await readPlan("configs/smoke/moe-ep2.yaml");
if (plan === undefined || document.written === undefined) throw new Error("the plan must load");
const result = { ...runOf(plan), written: document.written };

let collector: Server;
let url = "";
let file = "";
let received: { readonly path: string | undefined; readonly body: Body }[] = [];

beforeAll(async () => {
  collector = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      if (request.url?.startsWith("/full") === true) response.writeHead(400).end("no room");
      else {
        const body = JSON.parse(Buffer.concat(chunks).toString()) as Body;
        received.push({ path: request.url, body });
        response.writeHead(200, { "content-type": "application/json" }).end("{}");
      }
    });
  });
  await new Promise<void>((listening) => {
    collector.listen(0, "127.0.0.1", listening);
  });
  url = `http://127.0.0.1:${(collector.address() as AddressInfo).port}`;
  file = join(await mkdtemp(join(tmpdir(), "shardbench-otel-")), "result.json");
  await writeResult(file, result);
});
afterAll(() => collector.close());
beforeEach(() => {
  received = [];
});

test("gets a span for each slice of the step, within its rank's, and the figures as gauges", async () => {
  const { code, stdout, stderr } = await shardbench(["report", file, "--otel", url]);
  expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
  expect(new Set(received.map(({ path }) => path))).toEqual(new Set(["/v1/traces", "/v1/metrics"]));
  const spans = received.flatMap(({ body }) =>
    (body.resourceSpans ?? []).flatMap(({ scopeSpans }) =>
      scopeSpans.flatMap((each) => each.spans),
    ),
  );
  const timeline = timelineOfResult(plan, result);
  const slices = (timeline?.tracks ?? []).flatMap((track) =>
    track.kind === "idle" ? [] : track.slices,
  );
  expect(slices.length).toBeGreaterThan(50);
  expect(spans.length).toBe(1 + 2 + slices.length);
  expect(stdout).toContain(`${spans.length} spans and`);
  expect(new Set(spans.map(({ traceId }) => traceId)).size).toBe(1);
  const [root, ...others] = spans.filter(({ parentSpanId }) => parentSpanId === undefined);
  expect(others).toEqual([]);
  expect(root?.name).toBe("step of moe-ep2");
  const byId = new Map(spans.map((span) => [span.spanId, span]));
  for (const { parentSpanId, startTimeUnixNano, endTimeUnixNano } of spans) {
    const parent = byId.get(parentSpanId ?? "");
    if (parent === undefined) continue;
    expect(BigInt(startTimeUnixNano)).toBeGreaterThanOrEqual(BigInt(parent.startTimeUnixNano));
    expect(BigInt(endTimeUnixNano)).toBeLessThanOrEqual(BigInt(parent.endTimeUnixNano));
  }
  const wallNs = BigInt(root?.endTimeUnixNano ?? 0) - BigInt(root?.startTimeUnixNano ?? 0);
  expect(Number(wallNs) / 1e6).toBeCloseTo(timeline?.wallMs ?? 0, 5);
  const flops = spans.flatMap(({ attributes }) =>
    attributes.flatMap(({ key, value }) =>
      key === "shardbench.flops" ? [value.intValue ?? 0] : [],
    ),
  );
  expect(flops.reduce((sum, each) => sum + each, 0)).toBe(
    slices.reduce((sum, { work }) => sum + (work?.flops ?? 0), 0),
  );
  const metrics = received.flatMap(({ body }) =>
    (body.resourceMetrics ?? []).flatMap(({ scopeMetrics }) =>
      scopeMetrics.flatMap((each) => each.metrics),
    ),
  );
  const step = metrics.find(({ name }) => name === "shardbench.step.duration");
  expect(step?.unit).toBe("ms");
  expect(step?.gauge.dataPoints[0]?.asDouble).toBe(result.metrics.stepMs?.value);
});

test("that refuses, or is not there, is said, with the way out", async () => {
  const full = await shardbench(["report", file, "--otel", `${url}/full`]);
  expect(full).toMatchObject({ code: 2, stderr: expect.stringContaining("did not take it") });
});

test("without the SDK says what to install", async () => {
  const hidden = `export const resolve = (name, context, next) => {
    if (name.startsWith("@opentelemetry/")) throw new Error("Cannot find package " + name);
    return next(name, context);
  };`;
  const start = `import { register } from "node:module"; register("data:text/javascript,${encodeURIComponent(hidden)}");`;
  const { code, stderr } = await shardbench(["report", file, "--otel", url], {
    NODE_OPTIONS: `--import="data:text/javascript,${encodeURIComponent(start)}"`,
  });
  expect(code).toBe(2);
  expect(stderr.replaceAll(/\s+/g, " ")).toContain("npm install @opentelemetry/api");
  expect(received).toEqual([]);
});
