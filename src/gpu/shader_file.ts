// Where the text of a shader comes from: the package's folder. A page in a browser brings its own.

import { readFile } from "node:fs/promises";

// Resolves to the same folder from src/gpu and from dist/gpu.
const folder = new URL("../../shaders/", import.meta.url);

/** @param name as in `shaders/<name>.wgsl` */
export async function readShader(name: string): Promise<string> {
  return readFile(new URL(`${name}.wgsl`, folder), "utf8");
}
