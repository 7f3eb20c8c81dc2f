// A result as OpenTelemetry knows it: spans of its typical step, and its figures as gauges. Plain data; who sends it brings
// the SDK.

import type { Figure } from "../../measure/figure.ts";
import type { Timeline } from "../../measure/timeline.ts";
import type { RunResult } from "../../result/result.ts";

type Attributes = Readonly<Record<string, string | number>>;

export interface TelemetrySpan {
  readonly name: string;
  /** ms from the run's beginning. */
  readonly startMs: number;
  readonly endMs: number;
  readonly attributes: Attributes;
  /** Within this one. */
  readonly spans: readonly TelemetrySpan[];
}

export interface TelemetryGauge {
  readonly name: string;
  /** As UCUM writes it. */
  readonly unit: string;
  readonly points: readonly { readonly value: number; readonly attributes: Attributes }[];
}

export interface Telemetry {
  /** ISO 8601: when the run began. Its typical step stands there, whenever that was. */
  readonly date: string;
  /** Of the process that is told of. */
  readonly resource: Attributes;
  readonly step?: TelemetrySpan;
  readonly gauges: readonly TelemetryGauge[];
}

/** @param timeline absent where the result keeps no step */
export function telemetryOf(result: RunResult, timeline: Timeline | undefined): Telemetry {
  const { date, versions, plan } = result;
  return {
    date,
    resource: {
      "service.name": "shardbench",
      "service.version": versions.shardbench,
      "host.cpu.model.name": versions.cpu ?? "unknown",
      "os.description": versions.os,
      "shardbench.plan": plan.name,
      "shardbench.plan.work": plan.workHash,
    },
    ...(timeline === undefined ? {} : { step: stepSpan(plan.name, result, timeline) }),
    gauges: gaugesOf(result),
  };
}

function stepSpan(name: string, { adapters }: RunResult, timeline: Timeline): TelemetrySpan {
  const { wallMs, tracks } = timeline;
  const ranks = [...new Set(tracks.map(({ rank }) => rank))];
  return {
    name: `step of ${name}`,
    startMs: 0,
    endMs: wallMs,
    attributes: { "shardbench.ranks": ranks.length },
    spans: ranks.map((rank) => ({
      name: `rank ${rank}`,
      startMs: 0,
      endMs: wallMs,
      attributes: { "shardbench.rank": rank, "shardbench.adapter": adapters[rank]?.id ?? "" },
      spans: tracks
        .filter((track) => track.rank === rank && track.kind !== "idle")
        .flatMap(({ kind, slices }) =>
          slices.map(({ name: what, kind: part, startMs, endMs, work }) => ({
            name: what,
            startMs,
            endMs,
            attributes: {
              "shardbench.rank": rank,
              "shardbench.track": kind,
              "shardbench.kind": part,
              ...(work === undefined ? {} : { "shardbench.bytes": work.bytes }),
              ...(work?.flops === undefined ? {} : { "shardbench.flops": work.flops }),
            },
            spans: [],
          })),
        ),
    })),
  };
}

const figures = [
  ["shardbench.step.duration", "ms", "stepMs"],
  ["shardbench.samples", "{sample}/s", "samplesPerSecond"],
  ["shardbench.tokens", "{token}/s", "tokensPerSecond"],
  ["shardbench.busy", "1", "busy"],
  ["shardbench.mfu", "1", "mfu"],
  ["shardbench.hfu", "1", "hfu"],
  ["shardbench.bandwidth.utilization", "1", "bandwidth"],
] as const;

function gaugesOf({ metrics, memory }: RunResult): TelemetryGauge[] {
  const gauges = figures.flatMap(([name, unit, key]) => {
    const figure = metrics[key];
    return figure === undefined ? [] : [{ name, unit, points: pointsOf(figure) }];
  });
  return memory.length === 0
    ? gauges
    : [
        ...gauges,
        {
          name: "shardbench.memory.peak",
          unit: "By",
          points: memory.map(({ rank, peakBytes }) => ({
            value: peakBytes,
            attributes: { "shardbench.rank": rank },
          })),
        },
      ];
}

/** The ends of the interval are points of their own. */
function pointsOf({ value, interval, samples, provenance }: Figure): TelemetryGauge["points"] {
  const attributes = { "shardbench.samples": samples, "shardbench.provenance": provenance };
  return [
    { value, attributes: { ...attributes, "shardbench.value": "median" } },
    ...(["low", "high"] as const).flatMap((end, i) => {
      const at = interval?.[i];
      return at === undefined
        ? []
        : [{ value: at, attributes: { ...attributes, "shardbench.value": end } }];
    }),
  ];
}
