/** Builds the demo. */
export async function buildDemo() {}
