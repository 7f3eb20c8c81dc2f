import { execFile } from "node:child_process";
import {
  appendFile,
  chmod,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  rm,
  stat,
  truncate,
  writeFile,
} from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, delimiter, dirname, join } from "node:path";
import { promisify } from "node:util";
import { afterEach, beforeEach, describe, expect, test } from "vitest";

let cache = "";
beforeEach(async () => {
  cache = await mkdtemp(join(tmpdir(), "shardbench-test-"));
});
afterEach(() => rm(cache, { recursive: true }));

const built = new URL("../../dist/gpu/embedded_adapter.js", import.meta.url).href;
const script = `
  const { unpackEmbeddedAdapter } = await import(${JSON.stringify(built)});
  console.log(JSON.stringify(await unpackEmbeddedAdapter()));`;

interface Unpacked {
  readonly loader: string;
  readonly driverManifest: string;
}

/** @param given the cache folder that the user names; the other choices lie within the test's own */
async function unpack(given = cache, namespaces: readonly string[] = []): Promise<Unpacked> {
  const [command, ...before] = namespaces;
  const { stdout } = await promisify(execFile)(
    command ?? process.execPath,
    [
      ...before,
      ...(command === undefined ? [] : [process.execPath]),
      "--input-type=module",
      "--eval",
      script,
    ],
    {
      env: {
        ...process.env,
        XDG_CACHE_HOME: given,
        HOME: join(cache, "home"),
        TMPDIR: cache,
      },
    },
  );
  return JSON.parse(stdout);
}

test("many processes unpack at once and leave one complete copy", async () => {
  const answers = await Promise.all([unpack(), unpack(), unpack()]);
  expect(new Set(answers.map(({ loader }) => loader)).size).toBe(1);
  const folder = dirname(answers[0]?.loader ?? "");
  expect((await readdir(folder)).toSorted()).toEqual([
    "contents.json",
    "libvk_swiftshader.so",
    "libvulkan.so.1",
    "vk_swiftshader_icd.json",
  ]);
  expect(await readdir(dirname(folder))).toEqual([basename(folder)]);
});

test("the manifest names the driver beside it", async () => {
  const { driverManifest } = await unpack();
  expect(JSON.parse(await readFile(driverManifest, "utf8"))).toMatchObject({
    ICD: { library_path: "./libvk_swiftshader.so" },
  });
});

const driver = "libvk_swiftshader.so";
const manifest = "vk_swiftshader_icd.json";

describe("a copy that something befell is replaced", () => {
  test.each<[string, (folder: string) => Promise<void>]>([
    ["a driver that was cut off", async (folder) => truncate(join(folder, driver), 1000)],
    ["a driver with another byte", async (folder) => setByte(join(folder, driver))],
    ["a loader that is gone", async (folder) => rm(join(folder, "libvulkan.so.1"))],
    ["a manifest with more in it", async (folder) => appendFile(join(folder, manifest), " ")],
    ["no note of what it must be", async (folder) => rm(join(folder, "contents.json"))],
    ["a note that is none", async (folder) => writeFile(join(folder, "contents.json"), "{")],
    ["a driver that others can write", async (folder) => chmod(join(folder, driver), 0o666)],
    [
      "a folder in the place of the driver",
      async (folder) => {
        await rm(join(folder, driver));
        await mkdir(join(folder, driver, "inner"), { recursive: true });
      },
    ],
  ])("%s", async (_what, befall) => {
    const { loader } = await unpack();
    const folder = dirname(loader);
    const contents = async (): Promise<string[]> =>
      Promise.all(
        (await readdir(folder)).toSorted().map((file) => readFile(join(folder, file), "base64")),
      );
    const before = await contents();
    await befall(folder);
    expect(await unpack()).toEqual({ loader, driverManifest: join(folder, manifest) });
    expect(await contents()).toEqual(before);
    expect((await stat(join(folder, driver))).mode & 0o022).toBe(0);
  });

  test("control: a whole copy is left as it is", async () => {
    const { loader } = await unpack();
    const { ino } = await stat(loader);
    await unpack();
    expect((await stat(loader)).ino).toBe(ino);
  });
});

async function setByte(file: string): Promise<void> {
  const bytes = await readFile(file);
  bytes[bytes.length >> 1] = (bytes[bytes.length >> 1] ?? 0) ^ 1;
  await writeFile(file, bytes);
}

describe("another folder is taken where the first will not do", () => {
  const elsewhere = (): string => join(cache, "home", ".cache");
  test.each<[string, () => Promise<string>]>([
    ["is no absolute path", async () => "cache"],
    [
      "is a file",
      async () => {
        await writeFile(join(cache, "file"), "");
        return join(cache, "file");
      },
    ],
    [
      "has a colon in its path",
      async () => {
        await mkdir(join(cache, `a${delimiter}b`));
        return join(cache, `a${delimiter}b`);
      },
    ],
    [
      "lies where others can write",
      async () => {
        await mkdir(join(cache, "open"));
        await chmod(join(cache, "open"), 0o777);
        return join(cache, "open");
      },
    ],
  ])("%s", async (_what, make) => {
    const { loader } = await unpack(await make());
    expect(loader.startsWith(elsewhere())).toBe(true);
  });

  test("where everybody may create and nobody replace, an own folder will do", async () => {
    const shared = join(cache, "shared");
    await mkdir(shared);
    await chmod(shared, 0o1777);
    expect((await unpack(shared)).loader.startsWith(shared)).toBe(true);
  });

  test("where none will do, each is named with its reason", async () => {
    await chmod(cache, 0o777);
    const failure = await unpack().then(
      () => "",
      (error: unknown) => String(error),
    );
    await chmod(cache, 0o700);
    expect(failure).toContain("no folder to unpack the embedded adapter to");
    expect(failure).toContain(`others can write to ${cache}`);
  });
});

// As in containers that share a cache: processes with the same number.
const ownNumbers = ["unshare", "--pid", "--fork"];
const canUnshare = await promisify(execFile)("unshare", ["--pid", "--fork", "true"]).then(
  () => true,
  () => false,
);

test.skipIf(!canUnshare)(
  "processes with the same number start at once, again and again",
  async () => {
    for (let round = 0; round < 3; round++) {
      const folder = join(cache, `round${round}`);
      const answers = await Promise.all([1, 2, 3].map(async () => unpack(folder, ownNumbers)));
      expect(new Set(answers.map(({ loader }) => loader)).size).toBe(1);
    }
  },
);
