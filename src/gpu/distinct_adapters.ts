// Dawn opens adapters by name. Which of those that a driver shows can be reached that way, each by itself?

import type { AdapterReport } from "./adapter.ts";

/** The name of the adapter that Dawn opens in place of this one: it takes the first whose name contains it. */
export function shadowOf(name: string, names: readonly string[]): string | undefined {
  const opened = names.find((other) => other.includes(name));
  return opened === name ? undefined : opened;
}

export interface DistinctAdapters {
  readonly distinct: readonly AdapterReport[];
  /** Equal to one of `distinct`, which is what would open in their place. */
  readonly hidden: readonly AdapterReport[];
}

/**
 * Gives each of several equal adapters its PCI tag; where there are none, only the first of them is kept.
 *
 * @param findTags of so many equal GPUs of a vendor
 */
export async function keepDistinct(
  reports: readonly AdapterReport[],
  findTags: (vendor: string, count: number) => Promise<readonly string[] | undefined>,
): Promise<DistinctAdapters> {
  const distinct: AdapterReport[] = [];
  const hidden: AdapterReport[] = [];
  for (const report of reports) {
    const { choice, vendor } = report;
    const equals = reports.filter(
      (other) =>
        other.choice.name === choice.name && other.choice.driverManifest === choice.driverManifest,
    );
    const tags = equals.length === 1 ? undefined : await findTags(vendor, equals.length);
    const pciTag = tags?.[choice.ordinal];
    if (pciTag !== undefined) distinct.push({ ...report, choice: { ...choice, pciTag } });
    else if (choice.ordinal === 0) distinct.push(report);
    else hidden.push(report);
  }
  return { distinct, hidden };
}
