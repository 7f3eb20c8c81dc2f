// A claimed share in words.

export const percent = (share: number): string => `${Number((100 * share).toPrecision(4))} %`;
