import { Server } from '@hocuspocus/server'

const server = new Server({
  port: 1234,
  async onAuthenticate({ token }) {
    if (token !== 'sesame') throw new Error('not authorized')
  },
})
await server.listen()
