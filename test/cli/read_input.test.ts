import { execFileSync } from "node:child_process";
import { mkdtemp, open, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { InputTooLarge, readBytes, readInput } from "../../src/read_input.ts";
import { readPlan } from "../../src/plan/load.ts";

let folder = "";
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "shardbench-input-"));
});
afterEach(async () => rm(folder, { recursive: true }));

describe("what a user names", () => {
  test("control: a file is read, up to as many bytes as are asked for", async () => {
    const file = join(folder, "text");
    await writeFile(file, "abcde");
    expect(await readInput(file)).toBe("abcde");
    expect((await readBytes(file, 5)).toString()).toBe("abcde");
    await expect(readBytes(file, 4)).rejects.toThrow(InputTooLarge);
  });

  test("a folder is none", async () => {
    await expect(readInput(folder)).rejects.toThrow(/it is a folder|EISDIR/);
  });
});

describe.skipIf(process.platform === "win32")("names of other things than files", () => {
  test("a device without an end is refused", async () => {
    await expect(readPlan("/dev/zero")).rejects.toMatchObject({
      code: "file-not-readable",
      message: "cannot read the plan /dev/zero: it is a device, not a file",
    });
  });

  test("a pipe that nobody writes to ends at once", async () => {
    const pipe = join(folder, "pipe");
    execFileSync("mkfifo", [pipe]);
    const { diagnostics } = await readPlan(pipe);
    expect(diagnostics.map(({ code }) => code)).toEqual(["file-empty"]);
  });

  test("a pipe is read to its end, however late it comes", async () => {
    const pipe = join(folder, "pipe");
    execFileSync("mkfifo", [pipe]);
    const writer = await open(pipe, "r+");
    const text = readInput(pipe);
    await writer.write("ab");
    await writer.write("cd");
    await writer.close();
    expect(await text).toBe("abcd");
  });

  test.skipIf(process.platform !== "linux")(
    "a file whose size the system does not know is read no further than a plan goes",
    async () => {
      await expect(readBytes("/proc/self/maps", 16)).rejects.toThrow("more than 16 bytes");
    },
  );
});
