/** What is to be known of connections beyond what is said over them. */
export interface ConnectionWatch {
  /** The browser has looked for addresses of its own, and found so many. */
  gathered: (candidates: number) => void
  /** So many bytes came in. */
  received: (connection: RTCPeerConnection, bytes: number) => void
}

/** The browser's `RTCPeerConnection`, watched. It is made when it is needed: elsewhere there is none. */
export function watchedConnection({ gathered, received }: ConnectionWatch): typeof RTCPeerConnection {
  return class extends RTCPeerConnection {
    constructor(config?: RTCConfiguration) {
      super(config)
      let candidates = 0
      this.addEventListener('icecandidate', ({ candidate }) => {
        if (candidate?.candidate) candidates += 1
      })
      this.addEventListener('icegatheringstatechange', () => {
        if (this.iceGatheringState === 'complete') gathered(candidates)
      })
      this.addEventListener('datachannel', ({ channel }) => this.#watch(channel))
    }

    override createDataChannel(label: string, init?: RTCDataChannelInit): RTCDataChannel {
      const channel = super.createDataChannel(label, init)
      this.#watch(channel)
      return channel
    }

    #watch(channel: RTCDataChannel): void {
      channel.addEventListener('message', ({ data }: MessageEvent<unknown>) => {
        received(this, data instanceof ArrayBuffer ? data.byteLength : 0)
      })
    }
  }
}
