import { opfsFiles, type OpfsRequest } from './opfsFiles.ts'

// A worker is a world of its own: this file, and only this one, is its seam to it.
const serve = opfsFiles({
  root: () => navigator.storage.getDirectory(),
  later: (run, ms) => setTimeout(run, ms),
})

self.addEventListener('message', ({ data: [id, request] }: MessageEvent<[number, OpfsRequest]>) => {
  serve(request).then(
    (tail) => self.postMessage([id, tail]),
    (error: Error) => self.postMessage([id, undefined, { name: error.name, message: error.message }]),
  )
})
