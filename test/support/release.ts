/**
 * Told how to give back what was made: `afterAll` or `onTestFinished` of a test, or anything that
 * runs it in the end.
 */
export type Release = (release: () => Promise<void>) => void
