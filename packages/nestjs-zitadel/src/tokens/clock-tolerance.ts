/** By how much the clocks of this machine and of Zitadel may differ, in either direction: one figure for everything. */
export const CLOCK_TOLERANCE_SECONDS = 60;
