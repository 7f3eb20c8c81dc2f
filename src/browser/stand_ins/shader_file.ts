// What a page has instead of `gpu/shader_file.ts`: the texts that were put into it when it was made.

import { pageData } from "../page_data.ts";

/** @param name as in `shaders/<name>.wgsl` */
export async function readShader(name: string): Promise<string> {
  const text = pageData().shaders[name];
  if (text === undefined) throw new Error(`the page has no shaders/${name}.wgsl`);
  return text;
}
