// Process that looks through one driver and prints what it finds, an array of `AdapterReport` as JSON,
// its ids still empty.
// It runs apart because a process can use one driver only, and the command line none.

import type { AdapterReport } from "./adapter.ts";
import { adapterFlags, createDawn, listAdapterNames } from "./dawn.ts";
import { describeAdapter } from "./describe_adapter.ts";
import { bindToDriver, type DriverChoice, hasSystemLoader } from "./vulkan_driver.ts";

const [wanted = "{}"] = process.argv.slice(2);
const asked: DriverChoice = JSON.parse(wanted);
const needsEmbeddedLoader =
  process.platform === "linux" && asked.loader === "system" && !hasSystemLoader();
const driver: DriverChoice = needsEmbeddedLoader ? { ...asked, loader: "embedded" } : asked;
await bindToDriver(driver);

const names = await listAdapterNames();
const reports: AdapterReport[] = [];
for (const [index, name] of names.entries()) {
  const dawn = await createDawn(adapterFlags({ name }));
  const adapter = await dawn.requestAdapter();
  if (adapter === null) continue;
  const ordinal = names.slice(0, index).filter((earlier) => earlier === name).length;
  const software = adapter.info.isFallbackAdapter;
  reports.push(describeAdapter({ ...driver, id: "", name, software, ordinal }, adapter));
}
process.stdout.write(JSON.stringify(reports), () => {
  // Dawn would keep the process alive.
  process.exit(0);
});
