// The adapters of a machine, on a terminal.

import type { Colours } from "./colour.ts";
import { formatBytes, formatNumber } from "../measure/format.ts";
import { LINE_WIDTH } from "./table.ts";
import { padEnd, wrap } from "./text_width.ts";

/** What a listing needs of an adapter's report. */
export interface ListedAdapter {
  readonly choice: {
    readonly id: string;
    readonly name: string;
    readonly software: boolean;
    readonly loader: "embedded" | "system";
  };
  readonly vendor: string;
  readonly architecture: string;
  readonly driver: string;
  readonly features: readonly string[];
  readonly limits: Readonly<Record<string, number>>;
  readonly subgroupSize?: { readonly min: number; readonly max: number };
}

const LABEL = 12;

export const adapterReport = (adapters: readonly ListedAdapter[], colours: Colours): string[] => {
  if (adapters.length === 0) return ["No adapter was found."];
  return adapters.flatMap((adapter, i) => [
    ...(i === 0 ? [] : [""]),
    ...describe(adapter, colours),
  ]);
};

const describe = (adapter: ListedAdapter, colours: Colours): string[] => {
  const { choice, subgroupSize } = adapter;
  const kind = choice.software ? "software" : "hardware";
  const loader = choice.loader === "embedded" ? "embedded driver" : "the system's driver";
  const limits = [
    limit(adapter, "maxBufferSize", "buffer", formatBytes),
    limit(adapter, "maxStorageBufferBindingSize", "binding", formatBytes),
    limit(adapter, "maxComputeWorkgroupStorageSize", "workgroup memory", formatBytes),
    limit(adapter, "maxComputeInvocationsPerWorkgroup", "invocations", formatNumber),
  ].flat();
  const subgroups =
    subgroupSize === undefined
      ? []
      : subgroupSize.min === subgroupSize.max
        ? [`${subgroupSize.min} lanes`]
        : [`${subgroupSize.min} … ${subgroupSize.max} lanes`];
  return [
    `${colours.strong(choice.id)}  ${kind}, ${loader}`,
    ...field("name", choice.name),
    ...field("vendor", [adapter.vendor, adapter.architecture].filter((part) => part).join(", ")),
    ...field("driver", adapter.driver),
    ...field("subgroups", subgroups.join("")),
    ...field("limits", limits.join(", ")),
    ...field("features", [...adapter.features].toSorted().join(", ")),
  ];
};

const limit = (
  { limits }: ListedAdapter,
  name: string,
  label: string,
  format: (value: number) => string,
): string[] => {
  const value = limits[name];
  return value === undefined ? [] : [`${label} ${format(value)}`];
};

const field = (label: string, text: string): string[] =>
  wrap(text, LINE_WIDTH - LABEL - 2).map(
    (line, i) => `  ${padEnd(i === 0 ? label : "", LABEL)}${line}`,
  );
