// Drivers that compute on the CPU, known by the names that they give themselves.

const softwareNames: readonly (readonly [part: string, id: string])[] = [
  ["llvmpipe", "lavapipe"],
  ["swiftshader", "swiftshader"],
  ["microsoft basic render", "warp"],
];

/** What `--adapter` calls the software adapter of such a name; undefined for hardware, and for unknown software. */
export function softwareIdOf(name: string): string | undefined {
  return softwareNames.find(([part]) => name.toLowerCase().includes(part))?.[1];
}

/** In order of preference. */
export const softwareIds: readonly string[] = softwareNames.map(([, id]) => id);
