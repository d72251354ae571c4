import { buildDemo } from '../../scripts/demo.mjs'

/** The demo as `npm start` serves it: built once, before the first test that starts its server. */
export default async function setup(): Promise<void> {
  await buildDemo()
}
