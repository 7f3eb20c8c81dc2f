// Process that looks through one driver and prints what it finds, a `Probed` as JSON.
// It runs apart because a process can use one driver only, and the command line none.

import type { AdapterReport } from "./adapter.ts";
import { adapterFlags, createDawn, listAdapterNames } from "./dawn.ts";
import { describeAdapter } from "./describe_adapter.ts";
import { shadowOf } from "./distinct_adapters.ts";
import { bindToDriver, type DriverChoice, hasSystemLoader } from "./vulkan_driver.ts";

export interface Probed {
  /** Their ids still empty. */
  readonly reports: readonly AdapterReport[];
  /** Those that no name opens. */
  readonly shadowed: readonly { readonly name: string; readonly by: string }[];
}

const [wanted = "{}"] = process.argv.slice(2);
const asked: DriverChoice = JSON.parse(wanted);
const needsEmbeddedLoader =
  process.platform === "linux" && asked.loader === "system" && !hasSystemLoader();
const driver: DriverChoice = needsEmbeddedLoader ? { ...asked, loader: "embedded" } : asked;
await bindToDriver(driver);

const names = await listAdapterNames();
const reports: AdapterReport[] = [];
const shadowed: Probed["shadowed"][number][] = [];
for (const [index, name] of names.entries()) {
  const by = shadowOf(name, names);
  if (by !== undefined) {
    shadowed.push({ name, by });
    continue;
  }
  const dawn = await createDawn(adapterFlags({ name }));
  const adapter = await dawn.requestAdapter();
  if (adapter === null) continue;
  const ordinal = names.slice(0, index).filter((earlier) => earlier === name).length;
  const software = adapter.info.isFallbackAdapter;
  reports.push(describeAdapter({ ...driver, id: "", name, software, ordinal }, adapter));
}
const probed: Probed = { reports, shadowed };
process.stdout.write(JSON.stringify(probed), () => {
  // Dawn would keep the process alive.
  process.exit(0);
});
