/** Runs of each property of this room; fast-check prints the seed of a failure. */
export const RUNS = 1_000;
