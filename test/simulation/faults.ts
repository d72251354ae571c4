import { capabilities } from './capabilities.ts'

const always = [
  'answer 400',
  'answer 401',
  'answer 403',
  'answer 404',
  'answer 408',
  'answer 409',
  'answer 412',
  'answer 422',
  'answer 425',
  'answer 429',
  'answer 500',
  'answer 503',
  'answer broken',
  'answer doubled',
  'answer down',
  'answer hangs',
  'answer html',
  'answer late',
  'answer lost',
  'answer permanent',
  'answer silent',
  'append fails',
  'append torn',
  'call fails',
  'call hangs',
  'call never answered',
  'clock set ahead',
  'clock set back',
  'conflict asked',
  'conflict decided by a follower',
  'conflict decided by a merge',
  'conflict decided by localWins',
  'conflict decided by remoteWins',
  'conflict decided by the app',
  'conflict decided after a restart',
  'crash',
  'crash at a yield point',
  'dead handle',
  'key forgotten',
  'key outstanding',
  'offline',
  'other removes',
  'other saves',
  'power cut',
  'quota',
  'reconciled',
  'store wiped',
  'tab frozen',
  'version refused',
] as const
const later = ['lock stolen', 'message lost'] as const

/** Whatever can go wrong in the simulated world, by the name under which it is counted. */
export type Fault = (typeof always)[number] | (typeof later)[number]

/** Those that have to strike in a dose of some thousand seeds. */
export const expectedFaults: readonly Fault[] = [
  ...always,
  ...(capabilities.steal ? (['lock stolen'] as const) : []),
  ...(capabilities.channel ? (['message lost'] as const) : []),
]
