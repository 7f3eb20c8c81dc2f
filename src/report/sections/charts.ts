// What a run's figures look like; sections beside them say the same in tables.

import { memoryCeiling } from "../../measure/ceiling.ts";
import { formatPercent } from "../../measure/format.ts";
import type { Plan } from "../../plan/plan.ts";
import type { RunResult } from "../../result/result.ts";
import { groupBy } from "../../group_by.ts";
import { drawing, type Drawing } from "../section.ts";
import { rolesOf } from "./memory_roles.ts";

/** Busy, MFU and bandwidth, which are never one figure. */
export function utilizationChart({ metrics: { busy, mfu, bandwidth } }: RunResult): Drawing[] {
  const rows = (
    [
      ["busy", busy],
      ["MFU", mfu],
      ["bandwidth", bandwidth],
    ] as const
  ).flatMap(([label, figure]) =>
    figure === undefined
      ? []
      : [
          {
            label,
            value: Math.min(1, figure.value),
            ...(figure.interval === undefined ? {} : { interval: within(figure.interval) }),
          },
        ],
  );
  const said = rows.map(({ label, value }) => `${label} ${formatPercent(value)}`).join(", ");
  return rows.length === 0
    ? []
    : [drawing(`${said}; the lines are 95 % intervals`, { form: "shares", rows })];
}

function within([low, high]: readonly [number, number]): readonly [number, number] {
  return [Math.max(0, low), Math.min(1, high)];
}

export function rankTimeChart({ metrics: { ranks } }: RunResult): Drawing[] {
  const names = ["compute", "communication", "host", "idle"] as const;
  const rows = ranks.map((rank) => ({
    label: `rank ${rank.rank}`,
    parts: names.map((name) => ({ name, value: rank[name].value })),
  }));
  return rows.length === 0
    ? []
    : [drawing("Each rank's time in a step", { form: "bars", unit: "share", names, rows })];
}

export function rooflineChart({ metrics, calibration }: RunResult): Drawing[] {
  const adapters = calibration.flatMap(({ adapter: name, ceilings }) => {
    const memory = memoryCeiling(ceilings);
    return ceilings.f32 === undefined || memory === undefined
      ? []
      : [{ name, peak: ceilings.f32.figure.value, bandwidth: memory.figure.value }];
  });
  const kernels = metrics.kernels.flatMap(({ kernel, variant, intensity, flopsPerSecond, share }) =>
    intensity === undefined || intensity === 0 || flopsPerSecond === undefined
      ? []
      : [
          {
            label: variant?.split(" ", 1)[0] ?? kernel,
            intensity,
            rate: flopsPerSecond.value,
            share: share.value,
          },
        ],
  );
  return adapters.length === 0 || kernels.length === 0
    ? []
    : [
        drawing(
          "Kernels under the roofline of their adapter; larger dots take more of the time. Kernels without FLOPs are in the table only",
          { form: "roofline", adapters, kernels },
        ),
      ];
}

export function memoryChart({ hardware }: Plan, { estimate }: RunResult): Drawing[] {
  const roles = rolesOf(estimate.ranks);
  const { memoryPerGpu } = hardware;
  const rows = estimate.ranks.map(({ rank, memoryByRole }) => ({
    label: `rank ${rank}`,
    parts: roles.map(({ title, roles: own }) => ({
      name: title,
      value: own.reduce((sum, role) => sum + (memoryByRole[role] ?? 0), 0),
    })),
  }));
  const budget = memoryPerGpu === undefined ? "" : "; the dashed line is the plan's memory per GPU";
  return [
    drawing(`Memory by what it is for${budget}`, {
      form: "bars",
      unit: "B",
      names: roles.map(({ title }) => title),
      rows,
      ...(memoryPerGpu === undefined
        ? {}
        : { limit: { label: "memory per GPU", value: memoryPerGpu } }),
    }),
  ];
}

/** More bars than anyone compares. */
const mostExperts = 128;

export function expertsCharts({ metrics: { experts } }: RunResult): Drawing[] {
  return experts
    .filter(({ tokensPerExpert }) => tokensPerExpert.length <= mostExperts)
    .map(({ layer, tokensPerExpert }) =>
      drawing(`Tokens that each expert of ${layer} received in one step`, {
        form: "bars",
        unit: "tokens",
        names: ["tokens"],
        rows: tokensPerExpert.map((value, expert) => ({
          label: `expert ${expert}`,
          parts: [{ name: "tokens", value }],
        })),
      }),
    );
}

export function samplesChart({ samples, metrics: { stepMs } }: RunResult): Drawing[] {
  if (samples.length === 0 || stepMs === undefined) return [];
  const runs = [...groupBy(samples, ({ run }) => run).values()].map((own) =>
    own.map(({ wallMs }) => wallMs),
  );
  const { value: median, interval } = stepMs;
  return [
    drawing("Every timed step; the dashed line is the median, the band its 95 % interval", {
      form: "samples",
      runs,
      median,
      ...(interval === undefined ? {} : { interval }),
    }),
  ];
}
