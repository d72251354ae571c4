import { broadcastChannelSignalling } from '../../../../strategies/p2p/broadcastChannelSignalling.ts'
import { peerLimits } from '../../../../strategies/p2p/limits.ts'
import { trysteroTransport } from '../../../../strategies/p2p/trysteroTransport.ts'
import { roomMember } from '../roomMember.ts'

declare global {
  var member: ReturnType<typeof roomMember>
}

globalThis.member = roomMember(
  trysteroTransport({
    room: new URLSearchParams(location.search).get('room') ?? '',
    password: 'correct horse battery staple',
    signalling: broadcastChannelSignalling(),
    rtcConfig: { iceServers: [] },
    limits: peerLimits,
  }),
)
