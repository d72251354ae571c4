import { pool } from './idb.js'

const source = `
let handle, at = 0
onmessage = async ({ data: [id, op, arg] }) => {
  let answer
  if (op === 'open') {
    const root = await navigator.storage.getDirectory()
    handle = await (await root.getFileHandle(arg, { create: true })).createSyncAccessHandle()
    at = handle.getSize()
    answer = new Uint8Array(at)
    handle.read(answer, { at: 0 })
  } else if (op === 'append') at += handle.write(arg, { at })
  else if (op === 'clear') { handle.truncate(0); at = 0 }
  else handle.close()
  postMessage([id, answer])
}`

let worker
let calls = 0
const waiting = new Map()
const call = (op, arg) =>
  new Promise((resolve) => {
    waiting.set(++calls, resolve)
    worker.postMessage([calls, op, arg], arg instanceof Uint8Array ? [arg.buffer] : [])
  })
const bytesOf = (items) => new TextEncoder().encode(items.map((item) => `${JSON.stringify(item)}\n`).join(''))
let queue

async function open(place) {
  worker = new Worker(URL.createObjectURL(new Blob([source], { type: 'text/javascript' })))
  worker.onmessage = ({ data: [id, answer] }) => {
    waiting.get(id)(answer)
    waiting.delete(id)
  }
  return call('open', place)
}

/** A file that is appended to by a worker, a line an item: no order, no marks, no checksums. */
export default {
  name: 'OPFS append',
  open,
  enqueue: (items) => call('append', bytesOf(items)),
  enqueueOne: (item) => call('append', bytesOf([item])),
  async close() {
    await call('close')
    worker.terminate()
  },
  async reopen(place) {
    const text = new TextDecoder().decode(await open(place))
    queue = text
      .split('\n')
      .filter(Boolean)
      .map((line) => JSON.parse(line))
    return queue.length
  },
  async drain(sink, concurrency) {
    await pool(queue, concurrency, sink)
    await call('clear')
  },
}
