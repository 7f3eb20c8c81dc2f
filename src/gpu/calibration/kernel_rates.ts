// The rates that kernels are held against, and what a short measurement of them tells.

export const kernelRates = ["f32", "f16", "matrix", "read", "write", "copy"] as const;

export type KernelRate = (typeof kernelRates)[number];

/** Which variant to measure of each; what is absent is not measured. */
export type RateVariants = Readonly<Partial<Record<KernelRate, string>>>;

/** What each run of a short measurement reached. */
export type QuickLook = Readonly<Partial<Record<KernelRate, readonly number[]>>>;
