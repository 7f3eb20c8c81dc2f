// Where the embedded adapter exists, and what is said elsewhere.

/** For example `linux-x64`. */
export function platformName(): string {
  return `${process.platform}-${process.arch}`;
}

export function hasEmbeddedAdapter(platform: string = platformName()): boolean {
  return platform === "linux-x64";
}

export function noEmbeddedAdapter(platform: string = platformName()): string {
  return `the embedded SwiftShader adapter exists for linux-x64 only, this is ${platform}`;
}

/** The way out for a machine on which nothing opens. */
export function adapterHint(platform: string = platformName()): string {
  if (hasEmbeddedAdapter(platform)) {
    return "install the optional npm package @sparticuz/chromium, which brings SwiftShader, or a Vulkan driver";
  }
  const driver = platform.startsWith("linux-")
    ? "install a Vulkan driver, for example Mesa lavapipe 23 or later"
    : "use a machine whose GPU has a driver";
  return `${driver}; ${noEmbeddedAdapter(platform)}`;
}
