// Node's `ws`, as its README broadcasts: one send for each client.
import {readFileSync} from 'node:fs'
import {createInterface} from 'node:readline'
import {WebSocket, WebSocketServer} from 'ws'

const first = process.argv[2] ? readFileSync(process.argv[2], 'utf8') : ''
const options = {host: '127.0.0.1', port: 0, backlog: 4096, perMessageDeflate: false}
const server = new WebSocketServer(options, () => console.log(`ready ${server.address().port}`))

server.on('connection', (reader) => {
  if (first) reader.send(first)
})

const orders = createInterface({input: process.stdin})
orders.on('line', (message) => {
  const payload = Buffer.from(message)
  for (const reader of server.clients) {
    if (reader.readyState === WebSocket.OPEN) reader.send(payload, {binary: false})
  }
  console.log(`sent ${server.clients.size}`)
})
orders.on('close', () => process.exit(0))
