// Sends a result to an OpenTelemetry collector over OTLP/HTTP, by the SDK where that is installed.

import type { Context, Tracer } from "@opentelemetry/api";
import type { ReadableSpan, SpanProcessor } from "@opentelemetry/sdk-trace-base";
import { EnvironmentError } from "../environment_error.ts";
import type { Telemetry, TelemetrySpan } from "../report/trace/telemetry.ts";

const packages = [
  "@opentelemetry/api",
  "@opentelemetry/resources",
  "@opentelemetry/sdk-trace-base",
  "@opentelemetry/sdk-metrics",
  "@opentelemetry/exporter-trace-otlp-http",
  "@opentelemetry/exporter-metrics-otlp-http",
] as const;

/** Of one request. */
const spansAtOnce = 512;

/**
 * @param url of the collector; else `OTEL_EXPORTER_OTLP_ENDPOINT` says where it is, or it is on this machine
 * @returns what was sent, in a phrase
 * @throws EnvironmentError where the SDK is not installed, or the collector does not take it
 */
export async function sendTelemetry(
  telemetry: Telemetry,
  url: string | undefined,
): Promise<string> {
  const sdk = await loadSdk();
  const resource = sdk.resources.resourceFromAttributes(telemetry.resource);
  const at = (path: string) =>
    url === undefined ? {} : { url: `${url.replace(/\/$/, "")}/v1/${path}` };
  const spans = spansOf(sdk, telemetry, resource);
  const traces = new sdk.traceExporter.OTLPTraceExporter(at("traces"));
  const metrics = new sdk.metricExporter.OTLPMetricExporter(at("metrics"));
  try {
    for (let first = 0; first < spans.length; first += spansAtOnce) {
      await exported((done) => traces.export(spans.slice(first, first + spansAtOnce), done));
    }
    const collected = await collectGauges(sdk, telemetry, resource);
    await exported((done) => metrics.export(collected, done));
  } finally {
    await Promise.all([traces.shutdown(), metrics.shutdown()]);
  }
  return `${spans.length} spans and ${telemetry.gauges.length} metrics`;
}

type Sdk = Awaited<ReturnType<typeof loadSdk>>;
type Resource = ReturnType<Sdk["resources"]["resourceFromAttributes"]>;

async function loadSdk() {
  try {
    const [api, resources, trace, metrics, traceExporter, metricExporter] = await Promise.all([
      import("@opentelemetry/api"),
      import("@opentelemetry/resources"),
      import("@opentelemetry/sdk-trace-base"),
      import("@opentelemetry/sdk-metrics"),
      import("@opentelemetry/exporter-trace-otlp-http"),
      import("@opentelemetry/exporter-metrics-otlp-http"),
    ]);
    return { api, resources, trace, metrics, traceExporter, metricExporter };
  } catch (error) {
    throw new EnvironmentError(
      "missing-feature",
      `--otel needs the OpenTelemetry SDK: ${error instanceof Error ? error.message : String(error)}`,
      `npm install ${packages.join(" ")}`,
    );
  }
}

function spansOf(
  { api, trace }: Sdk,
  { date, step }: Telemetry,
  resource: Resource,
): ReadableSpan[] {
  const ended: ReadableSpan[] = [];
  const keep: SpanProcessor = {
    onStart: () => undefined,
    onEnd: (span) => ended.push(span),
    forceFlush: async () => undefined,
    shutdown: async () => undefined,
  };
  const provider = new trace.BasicTracerProvider({
    resource,
    sampler: new trace.AlwaysOnSampler(),
    spanProcessors: [keep],
  });
  const tracer = provider.getTracer("shardbench");
  const begun = Date.parse(date);
  const add = (own: TelemetrySpan, within: Context, by: Tracer): void => {
    const { name, attributes, startMs, endMs } = own;
    const span = by.startSpan(name, { startTime: timeOf(begun, startMs), attributes }, within);
    for (const each of own.spans) add(each, api.trace.setSpan(within, span), by);
    span.end(timeOf(begun, endMs));
  };
  if (step !== undefined) add(step, api.ROOT_CONTEXT, tracer);
  return ended;
}

/** Seconds and nanoseconds: a number of ms since 1970 has no room for parts of a microsecond. */
function timeOf(begunMs: number, ms: number): [number, number] {
  const wholeMs = Math.floor(ms);
  const at = begunMs + wholeMs;
  return [Math.floor(at / 1000), (at % 1000) * 1e6 + Math.round((ms - wholeMs) * 1e6)];
}

async function collectGauges({ metrics }: Sdk, { gauges }: Telemetry, resource: Resource) {
  class OnDemand extends metrics.MetricReader {
    protected override async onForceFlush(): Promise<void> {}
    protected override async onShutdown(): Promise<void> {}
  }
  const reader = new OnDemand();
  const provider = new metrics.MeterProvider({ resource, readers: [reader] });
  const meter = provider.getMeter("shardbench");
  for (const { name, unit, points } of gauges) {
    const gauge = meter.createGauge(name, { unit });
    for (const { value, attributes } of points) gauge.record(value, attributes);
  }
  const { resourceMetrics, errors } = await reader.collect();
  if (errors.length > 0) throw errors[0];
  await provider.shutdown();
  return resourceMetrics;
}

interface ExportOutcome {
  readonly code: number;
  readonly error?: Error;
}

async function exported(send: (done: (outcome: ExportOutcome) => void) => void): Promise<void> {
  const { code, error } = await new Promise<ExportOutcome>((done) => {
    send(done);
  });
  if (code === 0) return;
  throw new EnvironmentError(
    "file-not-writable",
    `the OpenTelemetry collector did not take it: ${error?.message ?? "no reason given"}`,
    "name one that listens for OTLP over HTTP, such as --otel http://localhost:4318",
  );
}
