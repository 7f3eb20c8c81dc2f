// The adapters of a machine.

import { formatBytes, formatNumber } from "../measure/format.ts";
import { fields, line, note, paragraph, type Report, type Section } from "./section.ts";

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

/** @param refused what did not open, and why */
export function adaptersReport(
  adapters: readonly ListedAdapter[],
  refused: readonly { readonly id: string; readonly reason: string }[] = [],
): Report {
  return {
    sections: [
      ...(adapters.length === 0
        ? [{ blocks: [paragraph("No adapter was found.")] }]
        : adapters.map(adapterSection)),
      ...refused.map(({ id, reason }) => ({
        blocks: [line([{ text: id, tone: "doubtful" }, "  not usable"]), note(reason, "plain")],
      })),
    ],
  };
}

function adapterSection(adapter: ListedAdapter): Section {
  const { choice, vendor, architecture, driver, features } = adapter;
  const kind = choice.software ? "software" : "hardware";
  const loader = choice.loader === "embedded" ? "embedded driver" : "the system's driver";
  const limits = [
    limit(adapter, "maxBufferSize", "buffer", formatBytes),
    limit(adapter, "maxStorageBufferBindingSize", "binding", formatBytes),
    limit(adapter, "maxComputeWorkgroupStorageSize", "workgroup memory", formatBytes),
    limit(adapter, "maxComputeInvocationsPerWorkgroup", "invocations", formatNumber),
  ].flat();
  return {
    blocks: [
      line([{ text: choice.id, tone: "strong" }, `  ${kind}, ${loader}`]),
      fields(
        [
          ["name", choice.name],
          ["vendor", [vendor, architecture].filter((part) => part).join(", ")],
          ["driver", driver],
          ["subgroups", subgroupsOf(adapter)],
          ["limits", limits.join(", ")],
          ["features", [...features].toSorted().join(", ")],
        ],
        12,
      ),
    ],
  };
}

function subgroupsOf({ subgroupSize }: ListedAdapter): string {
  if (subgroupSize === undefined) return "";
  const { min, max } = subgroupSize;
  return min === max ? `${min} lanes` : `${min} … ${max} lanes`;
}

function limit(
  { limits }: ListedAdapter,
  name: string,
  label: string,
  format: (value: number) => string,
): string[] {
  const value = limits[name];
  return value === undefined ? [] : [`${label} ${format(value)}`];
}
