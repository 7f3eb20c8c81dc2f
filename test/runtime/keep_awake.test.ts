import { readFileSync } from "node:fs";
import { setTimeout } from "node:timers/promises";
import { expect, test } from "vitest";
import { EnvironmentError } from "../../src/environment_error.ts";
import { keepAwake } from "../../src/runtime/keep_awake.ts";

/** Of children of this process that were started since: policy of each, and the cores that it may use. */
function children(): { readonly pid: number; readonly policy: string; readonly cores: string }[] {
  return readFileSync(`/proc/self/task/${process.pid}/children`, "utf8")
    .split(" ")
    .filter((pid) => pid !== "")
    .flatMap((pid) => {
      const stat = readFileSync(`/proc/${pid}/stat`, "utf8").split(") ").at(-1) ?? "";
      const status = readFileSync(`/proc/${pid}/status`, "utf8");
      if (stat.startsWith("Z")) return [];
      const [, cores = ""] = /Cpus_allowed_list:\s*(\S+)/.exec(status) ?? [];
      return [{ pid: Number(pid), policy: stat.split(" ")[38] ?? "", cores }];
    });
}

test.runIf(process.platform === "linux")(
  "a core that is kept awake has a process that gives way to all others, until the end",
  async () => {
    const before = new Set(children().map(({ pid }) => pid));
    const { ready, end } = keepAwake([0]);
    await ready;
    const keepers = children().filter(({ pid }) => !before.has(pid));
    expect(keepers.map(({ policy, cores }) => ({ policy, cores }))).toEqual([
      { policy: "5", cores: "0" },
    ]);
    end();
    // Else the test ends by its timeout.
    while (children().some(({ pid }) => pid === keepers[0]?.pid)) await setTimeout(10);
  },
);

test("no cores need nobody", async () => {
  await expect(keepAwake([]).ready).resolves.toBeUndefined();
});

test("who is ended before all have started has nothing to complain of", async () => {
  const { ready, end } = keepAwake([0]);
  end();
  await expect(ready).resolves.toBeUndefined();
});

test("a core that does not exist is refused in words", async () => {
  const { ready } = keepAwake([100_000]);
  await expect(ready).rejects.toThrow(EnvironmentError);
  await expect(ready).rejects.toThrow("cores cannot be kept awake");
});
