// Writes a file that a command was asked for; what exists is kept unless the user says otherwise.

import { writeFile } from "node:fs/promises";
import { EnvironmentError } from "../environment_error.ts";

export async function writeText(file: string, text: string, overwrite: boolean): Promise<void> {
  try {
    await writeFile(file, text, { flag: overwrite ? "w" : "wx" });
  } catch (error) {
    const exists = error instanceof Error && "code" in error && error.code === "EEXIST";
    throw new EnvironmentError(
      "file-not-readable",
      exists
        ? `${file} exists already`
        : `cannot write ${file}: ${error instanceof Error ? error.message : String(error)}`,
      exists ? "choose another name, or overwrite it with --write" : "choose another place",
    );
  }
}
